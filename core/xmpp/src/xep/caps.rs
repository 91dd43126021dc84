//! XEP-0115: capabilities in presence, as a hash over service discovery.

use sha1::{Digest, Sha1};

use super::data_forms::DataForm;
use super::disco::DiscoInfo;
use super::text::encode_base64;
use crate::xml::{ElementExt, element};
use crate::{Element, ns};

/// `<c/>` in presence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caps {
    /// Name of the software, a URI.
    pub node: String,
    /// Hash function; only `sha-1` can be checked.
    pub hash: String,
    /// Base64 of the hash.
    pub ver: String,
}

impl Caps {
    /// Capabilities of ours.
    #[must_use]
    pub fn of(node: &str, info: &DiscoInfo) -> Self {
        Self {
            node: node.to_owned(),
            hash: "sha-1".to_owned(),
            ver: hash(&verification_string(info)),
        }
    }

    /// `<c/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        element("c", ns::CAPS)
            .with_attr("hash", self.hash.as_str())
            .with_attr("node", self.node.as_str())
            .with_attr("ver", self.ver.as_str())
    }

    /// Reads `<c/>` inside a presence or stream features; `None` without a hash, as in the XEP's
    /// oldest form.
    #[must_use]
    pub fn find(parent: &Element) -> Option<Self> {
        let c = parent.get_child("c", ns::CAPS)?;
        Some(Self {
            node: c.attr("node")?.to_owned(),
            hash: c.attr("hash")?.to_owned(),
            ver: c.attr("ver")?.to_owned(),
        })
    }

    /// Node to ask when resolving the hash, and under which others ask us.
    #[must_use]
    pub fn disco_node(&self) -> String {
        format!("{}#{}", self.node, self.ver)
    }

    /// Whether an answer may be cached under the hash for everybody (§5.4). If not, it is good for
    /// this contact only.
    #[must_use]
    pub fn vouches_for(&self, info: &DiscoInfo) -> bool {
        self.hash == "sha-1" && is_well_formed(info) && hash(&verification_string(info)) == self.ver
    }
}

fn hash(text: &str) -> String {
    encode_base64(&Sha1::digest(text.as_bytes()))
}

/// §5.4, rules 3.3 to 3.6: ambiguous answers would give one hash to two meanings.
fn is_well_formed(info: &DiscoInfo) -> bool {
    let mut features: Vec<_> = info.features.iter().collect();
    features.sort();
    let mut identities: Vec<_> = info
        .identities
        .iter()
        .map(|identity| (&identity.category, &identity.kind, &identity.lang))
        .collect();
    identities.sort();
    let mut form_types: Vec<_> = info.forms.iter().filter_map(DataForm::form_type).collect();
    form_types.sort_unstable();
    let form_type_is_single = info.forms.iter().all(|form| {
        form.fields
            .iter()
            .filter(|field| field.var == "FORM_TYPE")
            .all(|field| {
                field
                    .values
                    .windows(2)
                    .all(|pair| matches!(pair, [a, b] if a == b))
            })
    });
    let mut everything = info
        .features
        .iter()
        .chain(info.identities.iter().flat_map(|identity| {
            [&identity.category, &identity.kind]
                .into_iter()
                .chain(&identity.name)
        }));
    let has_separator = everything.any(|text| text.contains('<'));
    is_unique(&features)
        && is_unique(&identities)
        && is_unique(&form_types)
        && form_type_is_single
        && !has_separator
}

fn is_unique<T: PartialEq>(sorted: &[T]) -> bool {
    !sorted
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a == b))
}

/// §5.1.
fn verification_string(info: &DiscoInfo) -> String {
    let mut parts: Vec<String> = info
        .identities
        .iter()
        .map(|identity| {
            format!(
                "{}/{}/{}/{}",
                identity.category,
                identity.kind,
                identity.lang.as_deref().unwrap_or_default(),
                identity.name.as_deref().unwrap_or_default()
            )
        })
        .collect();
    parts.sort();

    let mut features = info.features.clone();
    features.sort();
    parts.append(&mut features);

    let mut forms: Vec<(&str, &DataForm)> = info
        .forms
        .iter()
        .filter_map(|form| Some((form.form_type()?, form)))
        .collect();
    forms.sort_by_key(|(form_type, _)| *form_type);
    for (form_type, form) in forms {
        parts.push(form_type.to_owned());
        let mut fields: Vec<_> = form
            .fields
            .iter()
            .filter(|field| field.var != "FORM_TYPE")
            .collect();
        fields.sort_by(|a, b| a.var.cmp(&b.var));
        for field in fields {
            parts.push(field.var.clone());
            let mut values = field.values.clone();
            values.sort();
            parts.append(&mut values);
        }
    }
    parts.iter().flat_map(|part| [part.as_str(), "<"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xep::disco::Identity;

    fn info(text: &str) -> DiscoInfo {
        let text = format!(
            "<iq xmlns='jabber:client'><query xmlns='http://jabber.org/protocol/disco#info'>{text}</query></iq>"
        );
        DiscoInfo::parse(&text.parse().unwrap()).unwrap()
    }

    const SIMPLE: &str = "<identity category='client' name='Exodus 0.9.1' type='pc'/>\
        <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>\
        <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>";

    const COMPLEX: &str = "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>\
        <identity xml:lang='el' category='client' name='\u{3a8} 0.11' type='pc'/>\
        <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>\
        <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>\
        <x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>\
        <field var='ip_version' type='text-multi'><value>ipv4</value><value>ipv6</value></field>\
        <field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field>\
        <field var='software'><value>Psi</value></field><field var='software_version'><value>0.11</value></field></x>";

    #[test]
    fn the_hashes_of_xep_0115_come_out() {
        // §5.2 and §5.3.
        assert_eq!(
            hash(&verification_string(&info(SIMPLE))),
            "QgayPKawpkPSDYmwT/WM94uAlu0="
        );
        assert_eq!(
            hash(&verification_string(&info(COMPLEX))),
            "q07IKJEyjvHSyhy//CH0CxmKi8w="
        );
    }

    #[test]
    fn order_does_not_matter() {
        let mut shuffled = info(COMPLEX);
        shuffled.features.reverse();
        shuffled.identities.reverse();
        assert!(Caps::of("n", &info(COMPLEX)).vouches_for(&shuffled));
    }

    #[test]
    fn a_hash_over_an_ambiguous_answer_vouches_for_nothing() {
        let good = info(SIMPLE);
        let mut doubled = good.clone();
        doubled.features.push(ns::CAPS.to_owned());
        let mut twice = good.clone();
        twice.identities.push(good.identities[0].clone());
        let mut separator = good.clone();
        separator.identities.push(Identity {
            category: "client".to_owned(),
            kind: "a<b".to_owned(),
            lang: None,
            name: None,
        });
        let mut forms = info(COMPLEX);
        forms.forms.push(forms.forms[0].clone());
        for ambiguous in [doubled, twice, separator, forms] {
            assert!(!Caps::of("n", &ambiguous).vouches_for(&ambiguous));
        }
        let caps = Caps::of("n", &good);
        assert!(caps.vouches_for(&good));
        assert!(!caps.vouches_for(&info(COMPLEX)));
        let md5 = Caps {
            hash: "md5".to_owned(),
            ..caps
        };
        assert!(!md5.vouches_for(&good));
    }

    #[test]
    fn caps_survive_a_round_trip() {
        let caps = Caps::of("https://example.org/eft", &info(SIMPLE));
        let presence = element("presence", ns::CLIENT).with_child(caps.to_element());
        assert_eq!(Caps::find(&presence), Some(caps.clone()));
        assert_eq!(
            caps.disco_node(),
            format!("https://example.org/eft#{}", caps.ver)
        );
        assert_eq!(
            Caps::find(&element("presence", ns::CLIENT).with_child(element("c", ns::CAPS))),
            None
        );
    }
}
