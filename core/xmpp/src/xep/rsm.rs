//! XEP-0059: result set management.

use super::text::parse_u32;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// Which page to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// The first items.
    First,
    /// Those after this id.
    After(String),
    /// Those before this id.
    Before(String),
    /// The last items.
    Last,
}

/// `<set/>` of a request: at most `max` items of a page.
#[must_use]
pub fn request(max: u32, page: &Page) -> Element {
    let page = match page {
        Page::First => None,
        Page::After(id) => Some(element("after", ns::RSM).with_text(id)),
        Page::Before(id) => Some(element("before", ns::RSM).with_text(id)),
        Page::Last => Some(element("before", ns::RSM)),
    };
    element("set", ns::RSM)
        .with_child(element("max", ns::RSM).with_text(max.to_string()))
        .with_child_if(page)
}

/// `<set/>` of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ResultSet {
    /// Id of the first item of the page; `None` if the page is empty.
    pub first: Option<String>,
    /// Id of the last item of the page.
    pub last: Option<String>,
    /// Items in all, if the server counts.
    pub count: Option<u32>,
}

impl ResultSet {
    /// Reads `<set/>` inside `parent`; a missing one is an empty page.
    #[must_use]
    pub fn find(parent: &Element) -> Self {
        let Some(set) = parent.get_child("set", ns::RSM) else {
            return Self::default();
        };
        let text = |name: &str| {
            let text = set.get_child(name, ns::RSM)?.text();
            (!text.is_empty()).then_some(text)
        };
        Self {
            first: text("first"),
            last: text("last"),
            count: text("count").and_then(|count| parse_u32(&count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::encode_element;

    #[test]
    fn pages_are_asked_for_as_the_xep_shows() {
        let text = |page| encode_element(&request(10, &page)).unwrap();
        let set = |inner: &str| {
            format!("<set xmlns='http://jabber.org/protocol/rsm'><max>10</max>{inner}</set>")
        };
        assert_eq!(text(Page::First), set(""));
        assert_eq!(text(Page::After("x".to_owned())), set("<after>x</after>"));
        assert_eq!(
            text(Page::Before("x".to_owned())),
            set("<before>x</before>")
        );
        assert_eq!(text(Page::Last), set("<before/>"));
    }

    #[test]
    fn answers_are_read() {
        let parent: Element = "<fin xmlns='m'><set xmlns='http://jabber.org/protocol/rsm'>\
            <first index='0'>a</first><last>b</last><count>9</count></set></fin>"
            .parse()
            .unwrap();
        let expected = ResultSet {
            first: Some("a".to_owned()),
            last: Some("b".to_owned()),
            count: Some(9),
        };
        assert_eq!(ResultSet::find(&parent), expected);
        assert_eq!(ResultSet::find(&element("fin", "m")), ResultSet::default());
    }
}
