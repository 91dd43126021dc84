//! What a server offers, and what we make of it: XEP-0440 (channel-binding types), XEP-0474 (a
//! digest of the offer).

use super::channel::{ChannelBinding, TlsFacts};
use super::mechanism::Mechanism;
use crate::{Element, ns};

/// One list of mechanisms with the channel-binding types that stand beside it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SaslOffer {
    /// Names as the server wrote them, unknown ones included.
    pub mechanisms: Vec<String>,
    /// Channel-binding types (XEP-0440); `None` if the server does not say.
    pub bindings: Option<Vec<String>>,
    /// The list is that of SASL2, where XEP-0440 is strict.
    pub is_sasl2: bool,
}

/// What SCRAM says about channel binding (RFC 5802 §5.1, `gs2-cbind-flag`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gs2 {
    /// `n`: we cannot.
    CannotBind,
    /// `y`: we could, and think that the server cannot. A server that can knows then that somebody
    /// changed its offer.
    NotOffered,
    /// `p=`, with the data to bind to.
    Bound(ChannelBinding, Vec<u8>),
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) mechanism: Mechanism,
    pub(crate) gs2: Gs2,
    /// The offer is odd enough that only a right XEP-0474 digest makes it credible.
    pub(crate) needs_digest: bool,
}

/// Why nothing may be sent to this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nothing that we speak, or only PLAIN without permission.
    NothingAcceptable,
    /// Half of the channel-binding offer is missing: an error of the server's, or somebody removed
    /// it (XEP-0440 §3 rules 4 to 6).
    BindingStripped,
}

impl SaslOffer {
    /// The offer of RFC 6120 in `<stream:features/>`.
    #[must_use]
    pub fn sasl1(features: &Element) -> Option<Self> {
        Self::read(features, "mechanisms", ns::SASL, false)
    }

    /// The offer of XEP-0388 in `<stream:features/>`.
    #[must_use]
    pub fn sasl2(features: &Element) -> Option<Self> {
        Self::read(features, "authentication", ns::SASL2, true)
    }

    fn read(features: &Element, name: &str, ns: &str, is_sasl2: bool) -> Option<Self> {
        let list = features.get_child(name, ns)?;
        let bindings = features
            .get_child("sasl-channel-binding", ns::SASL_CB)
            .map(|types| {
                types
                    .children()
                    .filter(|child| child.is("channel-binding", ns::SASL_CB))
                    .filter_map(|child| child.attr("type").map(str::to_owned))
                    .collect()
            });
        Some(Self {
            mechanisms: list
                .children()
                .filter(|child| child.is("mechanism", ns))
                .map(|child| child.text().trim().to_owned())
                .collect(),
            bindings,
            is_sasl2,
        })
    }

    /// The strongest mechanism and channel binding that both sides have.
    pub(crate) fn choose(&self, tls: &TlsFacts, allow_plain: bool) -> Result<Choice, Refusal> {
        let known = || {
            self.mechanisms
                .iter()
                .filter_map(|name| Mechanism::from_name(name))
        };
        let best_bound = known().filter(|mechanism| mechanism.binds_channel()).max();
        let best_scram = known()
            .filter(|mechanism| !mechanism.binds_channel() && *mechanism != Mechanism::Plain)
            .max();
        let offers_types = self
            .bindings
            .as_ref()
            .is_some_and(|types| !types.is_empty());
        let unbound = |gs2, needs_digest| {
            best_scram
                .map(|mechanism| Choice {
                    mechanism,
                    gs2,
                    needs_digest,
                })
                .ok_or(Refusal::NothingAcceptable)
        };

        if !tls.can_bind() && (best_bound.is_some() || best_scram.is_some()) {
            return unbound(Gs2::CannotBind, false);
        }
        if let Some(mechanism) = best_bound {
            return match self.best_binding(tls) {
                Ok(binding) => Ok(Choice {
                    mechanism,
                    gs2: Gs2::Bound(binding.0, binding.1),
                    needs_digest: false,
                }),
                // Types that we do not know, as if on purpose: only a digest shows that the server
                // means it (XEP-0474 §7, new rule 6).
                Err(Refusal::NothingAcceptable) => unbound(Gs2::CannotBind, true),
                Err(other) => Err(other),
            };
        }
        if best_scram.is_some() {
            // Types without a mechanism for them (rule 5).
            return if offers_types {
                Err(Refusal::BindingStripped)
            } else {
                unbound(Gs2::NotOffered, false)
            };
        }
        if allow_plain && known().any(|mechanism| mechanism == Mechanism::Plain) {
            return Ok(Choice {
                mechanism: Mechanism::Plain,
                gs2: Gs2::CannotBind,
                needs_digest: false,
            });
        }
        Err(Refusal::NothingAcceptable)
    }

    /// `NothingAcceptable` if none of the types is ours.
    fn best_binding(&self, tls: &TlsFacts) -> Result<(ChannelBinding, Vec<u8>), Refusal> {
        let ours = |offered: &dyn Fn(ChannelBinding) -> bool| {
            ChannelBinding::ALL
                .into_iter()
                .rev()
                .filter(|kind| offered(*kind))
                .find_map(|kind| Some((kind, tls.binding(kind)?.to_vec())))
        };
        match &self.bindings {
            Some(types) if !types.is_empty() => {
                let has = |kind: ChannelBinding| types.iter().any(|name| name == kind.name());
                ours(&has).ok_or(Refusal::NothingAcceptable)
            }
            // Rule 4. RFC 6120 knows no list, so there the best of ours is tried: if it is wrong,
            // the login fails, which is better than a login without it that somebody arranged.
            _ if self.is_sasl2 => Err(Refusal::BindingStripped),
            _ => ours(&|_| true).ok_or(Refusal::NothingAcceptable),
        }
    }

    /// The text that a server with XEP-0474 hashes: names in byte order, `0x1E` between them, and
    /// behind `0x1F` the channel-binding types.
    pub(crate) fn digest_input(&self) -> String {
        self.joined('\u{1E}', '\u{1F}')
    }

    /// The same as version 0.3 of XEP-0474 had it, with `,` and `|`, under another attribute. Those
    /// may stand in a name, so an offer with such a name has no digest.
    pub(crate) fn old_digest_input(&self) -> Option<String> {
        let types = self.bindings.iter().flatten();
        let is_clear = |name: &String| !name.contains([',', '|']);
        self.mechanisms
            .iter()
            .chain(types)
            .all(is_clear)
            .then(|| self.joined(',', '|'))
    }

    fn joined(&self, between: char, before_types: char) -> String {
        let sorted = |names: &[String]| {
            let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
            names.sort_unstable();
            names.join(between.encode_utf8(&mut [0; 4]))
        };
        let mut text = sorted(&self.mechanisms);
        if let Some(types) = &self.bindings {
            text.push(before_types);
            text.push_str(&sorted(types));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::sasl::TlsVersion;
    use zeroize::Zeroizing;

    fn tls(exporter: bool, end_point: bool) -> TlsFacts {
        TlsFacts {
            version: Some(TlsVersion::Tls13),
            exporter: exporter.then(|| Zeroizing::new([7; 32])),
            server_end_point: end_point.then(|| vec![9; 32]),
        }
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn offer(mechanisms: &[&str], bindings: Option<&[&str]>) -> SaslOffer {
        SaslOffer {
            mechanisms: owned(mechanisms),
            bindings: bindings.map(owned),
            is_sasl2: true,
        }
    }

    fn chosen(offer: &SaslOffer, tls: &TlsFacts) -> Result<(Mechanism, &'static str), Refusal> {
        let choice = offer.choose(tls, false)?;
        let flag = match (&choice.gs2, choice.needs_digest) {
            (Gs2::CannotBind, false) => "n",
            (Gs2::CannotBind, true) => "n, if the digest is right",
            (Gs2::NotOffered, _) => "y",
            (Gs2::Bound(kind, data), _) => {
                assert_eq!(Some(data.as_slice()), tls.binding(*kind));
                kind.name()
            }
        };
        Ok((choice.mechanism, flag))
    }

    const BOTH: &[&str] = &["tls-server-end-point", "tls-exporter"];

    #[test]
    fn the_strongest_hash_wins_whatever_the_order() {
        let names = [
            "PLAIN",
            "SCRAM-SHA-1",
            "SCRAM-SHA-256",
            "DIGEST-MD5",
            "SCRAM-SHA-512",
        ];
        let all = offer(&names, None);
        assert_eq!(
            chosen(&all, &TlsFacts::default()),
            Ok((Mechanism::ScramSha512, "n"))
        );
        assert_eq!(
            chosen(&offer(&names[..2], None), &TlsFacts::default()),
            Ok((Mechanism::ScramSha1, "n"))
        );
    }

    #[test]
    fn plain_needs_permission_and_nothing_better() {
        let plain = offer(&["PLAIN", "DIGEST-MD5", "X-OAUTH2"], Some(BOTH));
        let tls = tls(true, true);
        assert_eq!(plain.choose(&tls, false), Err(Refusal::NothingAcceptable));
        assert_eq!(
            plain.choose(&tls, true).unwrap().mechanism,
            Mechanism::Plain
        );
        let better = offer(&["PLAIN", "SCRAM-SHA-1"], None);
        assert_eq!(
            better.choose(&tls, true).unwrap().mechanism,
            Mechanism::ScramSha1
        );
        assert_eq!(
            offer(&["scram-sha-1"], None).choose(&tls, true),
            Err(Refusal::NothingAcceptable),
            "names are case-sensitive"
        );
        assert_eq!(
            offer(&[], None).choose(&tls, true),
            Err(Refusal::NothingAcceptable)
        );
    }

    #[test]
    fn the_strongest_common_channel_binding_is_used() {
        let plus = ["SCRAM-SHA-512", "SCRAM-SHA-1-PLUS"];
        let sha1 = |flag| Ok((Mechanism::ScramSha1Plus, flag));
        assert_eq!(
            chosen(&offer(&plus, Some(BOTH)), &tls(true, true)),
            sha1("tls-exporter")
        );
        assert_eq!(
            chosen(&offer(&plus, Some(BOTH)), &tls(false, true)),
            sha1("tls-server-end-point")
        );
        assert_eq!(
            chosen(&offer(&plus, Some(&BOTH[..1])), &tls(true, true)),
            sha1("tls-server-end-point")
        );
        assert_eq!(
            chosen(&offer(&plus, Some(BOTH)), &tls(false, false)),
            Ok((Mechanism::ScramSha512, "n"))
        );
    }

    #[test]
    fn half_an_offer_of_channel_binding_is_refused() {
        let tls = tls(true, true);
        // Rule 3: nothing offered at all.
        assert_eq!(
            chosen(&offer(&["SCRAM-SHA-1"], None), &tls),
            Ok((Mechanism::ScramSha1, "y"))
        );
        // Rule 4: mechanisms without types.
        let no_types = offer(&["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"], None);
        assert_eq!(chosen(&no_types, &tls), Err(Refusal::BindingStripped));
        let sasl1 = SaslOffer {
            is_sasl2: false,
            ..no_types
        };
        assert_eq!(
            chosen(&sasl1, &tls),
            Ok((Mechanism::ScramSha1Plus, "tls-exporter"))
        );
        // Rule 5: types without mechanisms.
        assert_eq!(
            chosen(&offer(&["SCRAM-SHA-512"], Some(BOTH)), &tls),
            Err(Refusal::BindingStripped)
        );
        // Rule 6 as XEP-0474 has it.
        let foreign = offer(&["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"], Some(&["tls-unique"]));
        assert_eq!(
            chosen(&foreign, &tls),
            Ok((Mechanism::ScramSha1, "n, if the digest is right"))
        );
    }

    #[test]
    fn the_digest_covers_the_sorted_offer_of_xep_0474() {
        let offer = offer(&["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"], Some(BOTH));
        assert_eq!(
            offer.digest_input(),
            "SCRAM-SHA-1\u{1e}SCRAM-SHA-1-PLUS\u{1f}tls-exporter\u{1e}tls-server-end-point"
        );
        assert_eq!(
            offer.old_digest_input().unwrap(),
            "SCRAM-SHA-1,SCRAM-SHA-1-PLUS|tls-exporter,tls-server-end-point"
        );
        let disguised = SaslOffer {
            mechanisms: owned(&["SCRAM-SHA-1,SCRAM-SHA-1-PLUS"]),
            ..offer
        };
        assert_eq!(disguised.old_digest_input(), None);
    }

    #[test]
    fn both_lists_of_a_real_server_are_read() {
        let features: Element = "<features xmlns='http://etherx.jabber.org/streams'>\
            <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>\
            <authentication xmlns='urn:xmpp:sasl:2'><mechanism> SCRAM-SHA-1 </mechanism><inline/></authentication>\
            <sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>\
            </features>"
            .parse()
            .unwrap();
        let sasl1 = SaslOffer::sasl1(&features).unwrap();
        let sasl2 = SaslOffer::sasl2(&features).unwrap();
        assert_eq!(sasl1.mechanisms, ["PLAIN"]);
        assert_eq!(sasl2.mechanisms, ["SCRAM-SHA-1"]);
        assert_eq!(sasl1.bindings, sasl2.bindings);
        assert_eq!(sasl2.bindings.unwrap(), ["tls-exporter"]);
        assert_eq!(
            SaslOffer::sasl2(&Element::bare("features", ns::STREAM)),
            None
        );
    }
}
