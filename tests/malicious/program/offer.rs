//! What a server offers to prove a password with, and how that is told and hashed.

/// An offer of mechanisms. What is empty is not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// SASL of RFC 6120.
    pub(crate) sasl1: &'static [&'static str],
    /// SASL2 (XEP-0388) with Bind 2.
    pub(crate) sasl2: &'static [&'static str],
    /// Types of channel binding (XEP-0440).
    pub(crate) bindings: &'static [&'static str],
    /// A mechanism for tokens (XEP-0484).
    pub(crate) token: Option<&'static str>,
    /// SCRAM's challenge holds the hash of the offer (XEP-0474) and the version of TLS (XEP-0515).
    pub(crate) is_hashed: bool,
}

const SCRAM: &[&str] = &["SCRAM-SHA-256"];
const PLUS: &[&str] = &[
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1",
];

impl Offer {
    pub(crate) const SASL1: Self = Self {
        sasl1: SCRAM,
        sasl2: &[],
        bindings: &[],
        token: None,
        is_hashed: false,
    };
    pub(crate) const SASL2: Self = Self {
        sasl1: &[],
        sasl2: SCRAM,
        ..Self::SASL1
    };
    /// Channel binding, and nothing that shows whether the offer arrived as it was made: a server of today.
    pub(crate) const BOUND: Self = Self {
        sasl1: PLUS,
        sasl2: PLUS,
        bindings: &["tls-exporter", "tls-server-end-point"],
        ..Self::SASL1
    };
    /// The same without SASL2.
    pub(crate) const BOUND_SASL1: Self = Self {
        sasl2: &[],
        ..Self::BOUND
    };
    /// Everything there is.
    pub(crate) const HASHED: Self = Self {
        token: Some("HT-SHA-256-EXPR"),
        is_hashed: true,
        ..Self::BOUND
    };
    /// A server behind something that ends TLS with the server's certificate.
    pub(crate) const END_POINT: Self = Self {
        bindings: &["tls-server-end-point"],
        token: Some("HT-SHA-256-ENDP"),
        ..Self::HASHED
    };

    pub(crate) const fn only_sasl1(self, names: &'static [&'static str]) -> Self {
        Self {
            sasl1: names,
            ..self
        }
    }

    pub(crate) const fn with_names(self, names: &'static [&'static str]) -> Self {
        Self {
            sasl1: names,
            sasl2: names,
            ..self
        }
    }

    pub(crate) const fn with_bindings(self, types: &'static [&'static str]) -> Self {
        Self {
            bindings: types,
            ..self
        }
    }

    /// The list from which a client chose.
    pub(crate) const fn names(self, is_sasl2: bool) -> &'static [&'static str] {
        if is_sasl2 { self.sasl2 } else { self.sasl1 }
    }

    /// The content of `<stream:features/>`.
    pub(crate) fn features(self) -> String {
        let each = |names: &[&str], element: &dyn Fn(&str) -> String| -> String {
            names.iter().map(|name| element(name)).collect()
        };
        let mechanism = |name: &str| format!("<mechanism>{name}</mechanism>");
        let mut features = String::new();
        if !self.sasl1.is_empty() {
            features += &format!(
                "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{}</mechanisms>",
                each(self.sasl1, &mechanism)
            );
        }
        if !self.sasl2.is_empty() {
            let token = self.token.map_or(String::new(), |name| {
                format!("<fast xmlns='urn:xmpp:fast:0'>{}</fast>", mechanism(name))
            });
            features += &format!(
                "<authentication xmlns='urn:xmpp:sasl:2'>{}<inline>{token}<bind xmlns='urn:xmpp:bind:0'><inline>\
                 <feature var='urn:xmpp:carbons:2'/></inline></bind></inline></authentication>",
                each(self.sasl2, &mechanism)
            );
        }
        if !self.bindings.is_empty() {
            let binding = |name: &str| format!("<channel-binding type='{name}'/>");
            features += &format!(
                "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>{}</sasl-channel-binding>",
                each(self.bindings, &binding)
            );
        }
        features
    }

    /// What XEP-0474 §3 hashes: everything in the order of its bytes.
    pub(crate) fn hashed(self, is_sasl2: bool) -> String {
        let sorted = |names: &[&str]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names.join("\u{1e}")
        };
        let names = sorted(self.names(is_sasl2));
        if self.bindings.is_empty() {
            return names;
        }
        format!("{names}\u{1f}{}", sorted(self.bindings))
    }
}
