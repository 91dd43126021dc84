//! XEP-0352: client state indication. No answer comes; each new or resumed stream begins as active.

use crate::xml::element;
use crate::{Element, ns};

/// The user looks at the app.
#[must_use]
pub fn active() -> Element {
    element("active", ns::CSI)
}

/// The user does not: the server may hold back what can wait.
#[must_use]
pub fn inactive() -> Element {
    element("inactive", ns::CSI)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::encode_stanza;

    #[test]
    fn states_are_nonzas_of_the_csi_namespace() {
        assert_eq!(
            encode_stanza(&active()).unwrap(),
            "<active xmlns='urn:xmpp:csi:0'/>"
        );
        assert_eq!(
            encode_stanza(&inactive()).unwrap(),
            "<inactive xmlns='urn:xmpp:csi:0'/>"
        );
    }
}
