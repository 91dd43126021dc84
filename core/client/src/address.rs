//! Addresses that the app gives.

use eft_types::BareJid;
use eft_xmpp::address;

use crate::error::Error;

/// Refuses an address that would be read back as another one, or as none: `℻.example` becomes `FAX.example`, which is
/// `fax.example` when it is read. What its server sends would stand in a conversation of its own.
///
/// # Errors
/// [`Error::InvalidInput`].
pub(crate) fn check(jid: &BareJid) -> Result<(), Error> {
    match address::bare_jid(jid.as_str()) {
        Ok(again) if again == *jid => Ok(()),
        _ => Err(Error::invalid(format!("{jid} is no address"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_to_read_as_itself() {
        for text in ["me@\u{213b}.example", "me@ß--a.example"] {
            let jid = BareJid::new(text).expect("the parser takes it, or nobody has to ask");
            assert!(
                matches!(check(&jid), Err(Error::InvalidInput { .. })),
                "{text}"
            );
        }
        for text in ["me@example.org", "Me@Bücher.example", "example.org"] {
            check(&BareJid::new(text).unwrap()).unwrap();
        }
    }
}
