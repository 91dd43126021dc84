//! XEP-0092: which software somebody runs.

use crate::Element;
use crate::xml::element;

const NS: &str = "jabber:iq:version";

/// What an entity says that it runs. Its own words: to be shown to nobody unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoftwareVersion {
    /// Such as `Prosody`.
    pub name: String,
    /// Such as `13.0.1`.
    pub version: Option<String>,
}

/// Payload of the `get`.
#[must_use]
pub fn request() -> Element {
    element("query", NS)
}

/// Reads the answer; `None` if it names nothing.
#[must_use]
pub fn parse(result: &Element) -> Option<SoftwareVersion> {
    let query = result.get_child("query", NS)?;
    let text = |name| {
        let text = query.get_child(name, NS)?.text().trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    Some(SoftwareVersion {
        name: text("name")?,
        version: text("version"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(query: &str) -> Option<SoftwareVersion> {
        let iq = format!(
            "<iq xmlns='jabber:client' type='result'><query xmlns='{NS}'>{query}</query></iq>"
        );
        parse(&iq.parse().unwrap())
    }

    #[test]
    fn software_has_a_name_and_perhaps_a_version() {
        let found =
            answer("<name>Prosody</name><version> 13.0.1\n</version><os>Debian</os>").unwrap();
        assert_eq!(
            (found.name.as_str(), found.version.as_deref()),
            ("Prosody", Some("13.0.1"))
        );
        assert_eq!(answer("<name>x</name>").unwrap().version, None);
        assert_eq!(answer("<name/><version>1</version>"), None);
        assert_eq!(parse(&"<iq xmlns='jabber:client'/>".parse().unwrap()), None);
    }
}
