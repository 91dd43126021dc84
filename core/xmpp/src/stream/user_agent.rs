//! `<user-agent/>` of XEP-0388 §2.3: who logs in, told to the server only.

use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// A client installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAgent {
    id: String,
    /// Name of the software.
    pub software: Option<String>,
    /// Name of the device.
    pub device: Option<String>,
}

/// The id is no UUID of version 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a user agent has to be a UUID of version 4")]
pub struct NotAUuid;

impl UserAgent {
    /// `id` stays the same for the life of the installation: tokens belong to it, and a server may
    /// end the older session of the same id. It has to be a UUID of version 4, written in the usual
    /// way.
    ///
    /// # Errors
    /// [`NotAUuid`].
    pub fn new(id: &str) -> Result<Self, NotAUuid> {
        let is_shaped = id.len() == 36
            && id.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                14 => byte == b'4',
                19 => matches!(byte.to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b'),
                _ => byte.is_ascii_hexdigit(),
            });
        if !is_shaped {
            return Err(NotAUuid);
        }
        Ok(Self {
            id: id.to_ascii_lowercase(),
            software: None,
            device: None,
        })
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn to_element(&self) -> Element {
        let named = |name, text: &Option<String>| {
            text.as_ref()
                .map(|text| element(name, ns::SASL2).with_text(text))
        };
        element("user-agent", ns::SASL2)
            .with_attr("id", &*self.id)
            .with_child_if(named("software", &self.software))
            .with_child_if(named("device", &self.device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_of_version_4_is_an_id() {
        let id = "d4565fa7-4d72-4749-b3d3-740edbf87770";
        assert_eq!(UserAgent::new(id).unwrap().id(), id);
        assert_eq!(UserAgent::new(&id.to_uppercase()).unwrap().id(), id);
        for bad in [
            "",
            "d4565fa7",
            "d4565fa7-4d72-1749-b3d3-740edbf87770",
            "d4565fa7-4d72-4749-73d3-740edbf87770",
            "d4565fa7-4d72-4749-b3d3_740edbf87770",
            "d4565fa7-4d72-4749-b3d3-740edbf8777é",
        ] {
            assert_eq!(UserAgent::new(bad), Err(NotAUuid), "{bad}");
        }
    }
}
