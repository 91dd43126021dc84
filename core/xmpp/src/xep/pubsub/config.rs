//! What we want of a node (XEP-0060 §16.4.4).

use crate::ns;
use crate::xep::data_forms::DataForm;

/// Who may read a node (§4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessModel {
    /// Everybody. OMEMO needs it.
    Open,
    /// Whoever sees our presence; the default of PEP.
    Presence,
    /// Ourselves only (XEP-0223).
    Whitelist,
}

impl AccessModel {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Presence => "presence",
            Self::Whitelist => "whitelist",
        }
    }
}

/// How many items a node keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MaxItems {
    /// As many as the server allows. Old servers refuse the word: then ask for a number.
    Max,
    /// This many.
    Count(u32),
}

/// What we want of a node; `None` leaves it as it is. As publish options these are preconditions:
/// demand as few as possible, or clients with other habits fight over the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct NodeConfig {
    /// Who may read.
    pub access_model: Option<AccessModel>,
    /// How many items stay.
    pub max_items: Option<MaxItems>,
    /// Whether items stay at all.
    pub persist_items: Option<bool>,
}

impl NodeConfig {
    fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let access_model = self.access_model.map(|model| model.as_str().to_owned());
        let max_items = self.max_items.map(|max| match max {
            MaxItems::Max => "max".to_owned(),
            MaxItems::Count(count) => count.to_string(),
        });
        let persist_items = self
            .persist_items
            .map(|persist| if persist { "true" } else { "false" }.to_owned());
        [
            ("pubsub#access_model", access_model),
            ("pubsub#max_items", max_items),
            ("pubsub#persist_items", persist_items),
        ]
        .into_iter()
        .filter_map(|(var, value)| Some((var, value?)))
    }

    /// The form for `<publish-options/>` (§7.1.5).
    #[must_use]
    pub fn to_publish_options(&self) -> DataForm {
        self.fields().fold(
            DataForm::submit(ns::PUBSUB_PUBLISH_OPTIONS),
            |form, (var, value)| form.with(var, value),
        )
    }

    /// Answers the owner's configuration form (§8.2): what the server sent, with our wishes in it.
    #[must_use]
    pub fn apply_to(&self, form: DataForm) -> DataForm {
        self.fields()
            .fold(form.into_submit(), |form, (var, value)| {
                form.with(var, value)
            })
    }

    /// Whether a node that is configured as in `form` is already as we want it.
    #[must_use]
    pub fn is_met_by(&self, form: &DataForm) -> bool {
        self.fields().all(|(var, value)| match form.value(var) {
            Some(current) if var == "pubsub#persist_items" => {
                form.flag(var) == Some(value == "true") && !current.is_empty()
            }
            current => current == Some(value.as_str()),
        })
    }
}
