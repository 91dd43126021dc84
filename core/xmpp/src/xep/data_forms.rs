//! XEP-0004: data forms, as far as protocols use them. Nothing for a human's eyes is kept.

use super::text::is_true;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// What a form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKind {
    /// Fill it in.
    Form,
    /// Filled in.
    Submit,
    /// Data.
    Result,
    /// Never mind.
    Cancel,
}

impl FormKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Submit => "submit",
            Self::Result => "result",
            Self::Cancel => "cancel",
        }
    }
}

/// A field and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name.
    pub var: String,
    /// `type` attribute, if there was one.
    pub kind: Option<String>,
    /// Values in order.
    pub values: Vec<String>,
}

/// A form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataForm {
    /// What it is for.
    pub kind: FormKind,
    /// Fields in order, `FORM_TYPE` among them.
    pub fields: Vec<Field>,
}

impl DataForm {
    /// A form to submit, of a type (XEP-0068).
    #[must_use]
    pub fn submit(form_type: &str) -> Self {
        Self {
            kind: FormKind::Submit,
            fields: vec![Field {
                var: "FORM_TYPE".to_owned(),
                kind: Some("hidden".to_owned()),
                values: vec![form_type.to_owned()],
            }],
        }
    }

    /// Adds a field with one value.
    #[must_use]
    pub fn with(mut self, var: &str, value: impl Into<String>) -> Self {
        self.set(var, value);
        self
    }

    /// Sets a field to one value.
    pub fn set(&mut self, var: &str, value: impl Into<String>) {
        let values = vec![value.into()];
        match self.fields.iter_mut().find(|field| field.var == var) {
            Some(field) => field.values = values,
            None => self.fields.push(Field {
                var: var.to_owned(),
                kind: None,
                values,
            }),
        }
    }

    /// Whether the form has the field.
    #[must_use]
    pub fn has(&self, var: &str) -> bool {
        self.fields.iter().any(|field| field.var == var)
    }

    /// First value of a field.
    #[must_use]
    pub fn value(&self, var: &str) -> Option<&str> {
        let field = self.fields.iter().find(|field| field.var == var)?;
        field.values.first().map(String::as_str)
    }

    /// XEP-0068.
    #[must_use]
    pub fn form_type(&self) -> Option<&str> {
        self.value("FORM_TYPE")
    }

    /// The same fields as an answer to a form.
    #[must_use]
    pub fn into_submit(mut self) -> Self {
        self.kind = FormKind::Submit;
        // A fixed field is text for a human (§3.3) and is not sent back.
        self.fields
            .retain(|field| field.kind.as_deref() != Some("fixed") && !field.var.is_empty());
        self
    }

    /// `<x/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let fields = self.fields.iter().map(|field| {
            element("field", ns::DATA_FORMS)
                .with_attr("var", field.var.as_str())
                .with_attr_if("type", field.kind.as_deref())
                .with_children(
                    field
                        .values
                        .iter()
                        .map(|value| element("value", ns::DATA_FORMS).with_text(value)),
                )
        });
        element("x", ns::DATA_FORMS)
            .with_attr("type", self.kind.name())
            .with_children(fields)
    }

    /// Reads `<x/>`; `None` if it is something else. Fields without a name are left out.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("x", ns::DATA_FORMS) {
            return None;
        }
        let kind = match element.attr("type")? {
            "form" => FormKind::Form,
            "submit" => FormKind::Submit,
            "result" => FormKind::Result,
            "cancel" => FormKind::Cancel,
            _ => return None,
        };
        let fields = element
            .children()
            .filter(|child| child.is("field", ns::DATA_FORMS))
            .filter_map(|field| {
                Some(Field {
                    var: field.attr("var")?.to_owned(),
                    kind: field.attr("type").map(str::to_owned),
                    values: field
                        .children()
                        .filter(|child| child.is("value", ns::DATA_FORMS))
                        .map(Element::text)
                        .collect(),
                })
            })
            .collect();
        Some(Self { kind, fields })
    }

    /// Value of a boolean field.
    #[must_use]
    pub fn flag(&self, var: &str) -> Option<bool> {
        self.value(var).map(|value| is_true(Some(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_survives_a_round_trip() {
        let form = DataForm::submit("t")
            .with("a", "1")
            .with("b", "x < y")
            .with("a", "2");
        assert_eq!(DataForm::parse(&form.to_element()), Some(form.clone()));
        assert_eq!(form.form_type(), Some("t"));
        assert_eq!(form.value("a"), Some("2"));
        assert!(!form.has("c"));
    }

    #[test]
    fn an_answer_keeps_the_fields_and_drops_prose() {
        let form: Element = "<x xmlns='jabber:x:data' type='form'><title>T</title><instructions>I</instructions>\
            <field var='FORM_TYPE' type='hidden'><value>t</value></field>\
            <field type='fixed'><value>Section</value></field>\
            <field var='note' type='fixed'><value>Section</value></field>\
            <field var='open' type='boolean' label='L'><required/><value>1</value></field>\
            <field var='list' type='list-multi'><option><value>no</value></option><value>a</value><value>b</value></field>\
            <field var='empty'/></x>"
            .parse()
            .unwrap();
        let answer = DataForm::parse(&form).unwrap().into_submit();
        let vars: Vec<_> = answer
            .fields
            .iter()
            .map(|field| field.var.as_str())
            .collect();
        assert_eq!(vars, ["FORM_TYPE", "open", "list", "empty"]);
        assert_eq!(answer.flag("open"), Some(true));
        assert_eq!(answer.fields[2].values, ["a", "b"]);
        assert_eq!(answer.to_element().attr("type"), Some("submit"));
    }

    #[test]
    fn what_is_no_form_is_none() {
        for text in [
            "<x xmlns='jabber:x:data'/>",
            "<x xmlns='jabber:x:data' type='odd'/>",
            "<x xmlns='n' type='form'/>",
        ] {
            assert_eq!(DataForm::parse(&text.parse().unwrap()), None);
        }
    }
}
