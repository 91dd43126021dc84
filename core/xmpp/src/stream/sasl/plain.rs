//! SASL PLAIN (RFC 4616).

use zeroize::Zeroizing;

/// `authzid NUL authcid NUL passwd`, the first empty.
pub(crate) fn plain_message(username: &str, password: &str) -> Zeroizing<Vec<u8>> {
    let mut message = Zeroizing::new(Vec::with_capacity(username.len() + password.len() + 2));
    message.push(0);
    message.extend_from_slice(username.as_bytes());
    message.push(0);
    message.extend_from_slice(password.as_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_that_of_rfc_4616() {
        assert_eq!(
            plain_message("tim", "tanstaaftanstaaf").as_slice(),
            b"\0tim\0tanstaaftanstaaf"
        );
    }
}
