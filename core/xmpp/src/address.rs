//! Addresses from the wire (RFC 7622), kept only if their normal form is an address too.
//!
//! The parser of the `jid` crate takes some texts of which it refuses its own normal form: `ß--n31h.example` becomes
//! `ss--n31h.example`, and two hyphens in that place stand for an encoding that does not exist. Such an address could
//! be stored and never be read again. So every address that somebody else chose is read here, and nowhere else.

use eft_types::{BareJid, FullJid, Jid};

/// Text that is no address, or none that survives being written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an XMPP address")]
pub struct NotAnAddress;

/// Reads an address with or without a resource.
///
/// # Errors
/// [`NotAnAddress`].
pub fn jid(text: &str) -> Result<Jid, NotAnAddress> {
    let jid = Jid::new(text).map_err(|_| NotAnAddress)?;
    // A text that is its own normal form has just been read.
    if jid.as_str() == text || Jid::new(jid.as_str()).is_ok_and(|again| again == jid) {
        Ok(jid)
    } else {
        Err(NotAnAddress)
    }
}

/// Reads an address that has no resource.
///
/// # Errors
/// [`NotAnAddress`].
pub fn bare_jid(text: &str) -> Result<BareJid, NotAnAddress> {
    let jid = jid(text)?;
    if jid.is_bare() {
        Ok(jid.into_bare())
    } else {
        Err(NotAnAddress)
    }
}

/// Reads an address that has a resource.
///
/// # Errors
/// [`NotAnAddress`].
pub fn full_jid(text: &str) -> Result<FullJid, NotAnAddress> {
    jid(text)?.try_into_full().map_err(|_| NotAnAddress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_whose_normal_form_is_none_is_no_address() {
        for text in ["ß--n31h.example/₣", "ß--a.example", "me@ß--a.example"] {
            let parsed =
                Jid::new(text).expect("the parser takes it, or this module has no purpose");
            assert!(Jid::new(parsed.as_str()).is_err(), "{text}");
            assert_eq!(jid(text), Err(NotAnAddress), "{text}");
            assert_eq!(bare_jid(text), Err(NotAnAddress), "{text}");
            assert_eq!(full_jid(text), Err(NotAnAddress), "{text}");
        }
    }

    #[test]
    fn an_address_is_read_in_its_normal_form() {
        assert_eq!(bare_jid("Me@B.Example").unwrap().as_str(), "me@b.example");
        assert_eq!(
            full_jid("me@b.example/x").unwrap().as_str(),
            "me@b.example/x"
        );
        assert_eq!(jid("b.example").unwrap().as_str(), "b.example");
        assert_eq!(bare_jid("me@b.example/x"), Err(NotAnAddress));
        assert_eq!(full_jid("me@b.example"), Err(NotAnAddress));
        for bad in ["", "@", "@b.example", "me@", "me@b.example/"] {
            assert_eq!(jid(bad), Err(NotAnAddress), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again_as_the_same(text in "([a-zßéA-Z₣-]{1,6}@)?[a-zßéK0-9.-]{1,12}(/.{1,4})?") {
            if let Ok(read) = jid(&text) {
                prop_assert_eq!(jid(read.as_str()), Ok(read.clone()));
                let bare = read.to_bare();
                prop_assert_eq!(bare_jid(bare.as_str()), Ok(bare));
            }
        }
    }
}
