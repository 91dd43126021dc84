//! What a server once showed of itself to this account. The caller keeps it between connections; a
//! weaker offer later is refused, because it may come from somebody in between.

use super::inline::InlineOffer;
use super::record::{FieldReader, Fields, RecordError};
use super::sasl::{ChannelBinding, Choice, Gs2, Mechanism, SaslOffer};

const VERSION: u8 = 1;
const KIND: &str = "pins";

/// See the module. The default knows nothing and refuses nothing: the state before the first login,
/// and after the user accepted a [`Downgrade`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pins {
    /// The strongest mechanism that let us in with a password.
    pub mechanism: Option<Mechanism>,
    /// The strongest channel binding that let us in.
    pub channel_binding: Option<ChannelBinding>,
    /// The server offered SCRAM once: PLAIN is out for good (XEP-0474 §6).
    pub scram_seen: bool,
    /// The server offered SASL2, with this inside: what may be sent before it says so again.
    pub sasl2: Option<InlineOffer>,
    /// What would be chosen among the mechanisms that it offered last.
    pub plan: Option<(Mechanism, Option<ChannelBinding>)>,
    /// It fails when something stands directly behind the stream header: wait for its features.
    pub breaks_pipelining: bool,
}

/// The server offers less than it once did.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Downgrade {
    /// It had SASL2 (XEP-0388).
    #[error("the server no longer offers SASL2")]
    Sasl2Missing,
    /// It had a stronger mechanism.
    #[error("the server used {pinned} and now offers at most {offered:?}")]
    Mechanism {
        /// What let us in before.
        pinned: Mechanism,
        /// The best of what it offers now.
        offered: Option<Mechanism>,
    },
    /// It had a stronger channel binding, or one at all.
    #[error("the server used {pinned} and now offers at most {offered:?}")]
    ChannelBinding {
        /// What was used before.
        pinned: ChannelBinding,
        /// The best of what both sides have now.
        offered: Option<ChannelBinding>,
    },
    /// Half of the offer of channel binding is missing (XEP-0440 §3).
    #[error("the server's offer of channel binding is incomplete")]
    BindingStripped,
}

impl Pins {
    /// Whether PLAIN may be used, given the user's permission.
    pub(super) fn allows_plain(&self, permitted: bool) -> bool {
        permitted
            && !self.scram_seen
            && self
                .mechanism
                .is_none_or(|pinned| pinned == Mechanism::Plain)
    }

    /// Refuses a choice that is weaker than what the server once had.
    pub(super) fn check(&self, choice: &Choice) -> Result<(), Downgrade> {
        if let Some(pinned) = self.mechanism
            && choice.mechanism < pinned
        {
            return Err(Downgrade::Mechanism {
                pinned,
                offered: Some(choice.mechanism),
            });
        }
        let offered = choice.binding();
        match self.channel_binding {
            Some(pinned) if offered.is_none_or(|offered| offered < pinned) => {
                Err(Downgrade::ChannelBinding { pinned, offered })
            }
            _ => Ok(()),
        }
    }

    /// Takes note of an offer that stood in an authenticated stream.
    pub(super) fn note_offer(
        &mut self,
        offers: [Option<&SaslOffer>; 2],
        inline: Option<&InlineOffer>,
        plan: Option<&Choice>,
    ) {
        self.scram_seen |= offers.into_iter().flatten().any(|offer| {
            offer
                .mechanisms
                .iter()
                .filter_map(|name| Mechanism::from_name(name))
                .any(|mechanism| mechanism != Mechanism::Plain)
        });
        if let Some(inline) = inline {
            self.sasl2 = Some(inline.clone());
        }
        if let Some(plan) = plan {
            self.plan = Some((plan.mechanism, plan.binding()));
        }
    }

    /// Takes note of the password mechanism that let us in.
    pub(super) fn note_login(&mut self, mechanism: Mechanism, binding: Option<ChannelBinding>) {
        self.mechanism = self.mechanism.max(Some(mechanism));
        self.channel_binding = self.channel_binding.max(binding);
    }

    /// For the caller's store. Nothing in it is secret; whoever can change it can undo the pins.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mechanism = |fields: Fields, value: Mechanism| fields.text(value.name());
        let binding = |fields: Fields, value: ChannelBinding| fields.text(value.name());
        Fields::new(VERSION)
            .optional(self.mechanism, mechanism)
            .optional(self.channel_binding, binding)
            .byte(self.scram_seen.into())
            .optional(self.sasl2.as_ref(), |fields, inline| inline.write(fields))
            .optional(self.plan, |fields, (planned, bound)| {
                mechanism(fields, planned).optional(bound, binding)
            })
            .byte(self.breaks_pipelining.into())
            .finish()
            .to_vec()
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`RecordError`]. Do not go on without pins silently: that is what an attacker on the device
    /// would arrange.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        Self::read(bytes).ok_or(RecordError { kind: KIND })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mechanism = |fields: &mut FieldReader<'_>| Mechanism::from_name(fields.text()?);
        let binding = |fields: &mut FieldReader<'_>| ChannelBinding::from_name(fields.text()?);
        let mut fields = FieldReader::new(bytes, VERSION)?;
        let pins = Self {
            mechanism: fields.optional(mechanism)?,
            channel_binding: fields.optional(binding)?,
            scram_seen: fields.flag()?,
            sasl2: fields.optional(InlineOffer::read)?,
            plan: fields
                .optional(|fields| Some((mechanism(fields)?, fields.optional(binding)?)))?,
            breaks_pipelining: fields.flag()?,
        };
        fields.finish()?;
        Some(pins)
    }
}

impl Choice {
    /// The channel binding in it.
    pub(super) fn binding(&self) -> Option<ChannelBinding> {
        match &self.gs2 {
            Gs2::Bound(kind, _) => Some(*kind),
            Gs2::CannotBind | Gs2::NotOffered => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::inline::BindOffer;
    use crate::stream::sasl::FastMechanism;
    use proptest::prelude::*;

    fn choice(mechanism: Mechanism, binding: Option<ChannelBinding>) -> Choice {
        Choice {
            mechanism,
            gs2: binding.map_or(Gs2::CannotBind, |kind| Gs2::Bound(kind, vec![1])),
            needs_digest: false,
        }
    }

    fn pins() -> Pins {
        let mut pins = Pins::default();
        pins.note_login(
            Mechanism::ScramSha256Plus,
            Some(ChannelBinding::TlsExporter),
        );
        pins
    }

    #[test]
    fn a_weaker_mechanism_or_binding_is_refused_and_a_stronger_one_is_not() {
        use ChannelBinding::{TlsExporter, TlsServerEndPoint};
        let pins = pins();
        let check = |mechanism, binding| pins.check(&choice(mechanism, binding));
        assert_eq!(check(Mechanism::ScramSha256Plus, Some(TlsExporter)), Ok(()));
        assert_eq!(check(Mechanism::ScramSha512Plus, Some(TlsExporter)), Ok(()));
        assert_eq!(
            check(Mechanism::ScramSha512, None),
            Err(Downgrade::Mechanism {
                pinned: Mechanism::ScramSha256Plus,
                offered: Some(Mechanism::ScramSha512)
            })
        );
        assert_eq!(
            check(Mechanism::ScramSha256Plus, Some(TlsServerEndPoint)),
            Err(Downgrade::ChannelBinding {
                pinned: TlsExporter,
                offered: Some(TlsServerEndPoint)
            })
        );
        assert_eq!(
            Pins::default().check(&choice(Mechanism::Plain, None)),
            Ok(())
        );
    }

    #[test]
    fn a_pin_only_grows() {
        let mut pins = pins();
        pins.note_login(
            Mechanism::ScramSha1Plus,
            Some(ChannelBinding::TlsServerEndPoint),
        );
        assert_eq!(pins.mechanism, Some(Mechanism::ScramSha256Plus));
        assert_eq!(pins.channel_binding, Some(ChannelBinding::TlsExporter));
    }

    #[test]
    fn plain_is_out_once_scram_was_seen() {
        let mut pins = Pins::default();
        assert!(pins.allows_plain(true) && !pins.allows_plain(false));
        let offer = |name: &str| SaslOffer {
            mechanisms: vec![name.to_owned()],
            ..SaslOffer::default()
        };
        pins.note_offer([Some(&offer("PLAIN")), None], None, None);
        assert!(pins.allows_plain(true));
        pins.note_offer(
            [Some(&offer("PLAIN")), Some(&offer("SCRAM-SHA-1"))],
            None,
            None,
        );
        assert!(!pins.allows_plain(true));
        let used = Pins {
            mechanism: Some(Mechanism::ScramSha1),
            ..Pins::default()
        };
        assert!(!used.allows_plain(true));
    }

    fn full() -> Pins {
        Pins {
            scram_seen: true,
            sasl2: Some(InlineOffer {
                bind: Some(BindOffer {
                    carbons: true,
                    client_state: false,
                    stream_management: true,
                }),
                resume: true,
                fast: vec![FastMechanism::from_name("HT-SHA-256-ENDP").unwrap(); 2],
            }),
            plan: Some((Mechanism::ScramSha1Plus, Some(ChannelBinding::TlsExporter))),
            breaks_pipelining: true,
            ..pins()
        }
    }

    #[test]
    fn pins_survive_their_bytes() {
        for pins in [Pins::default(), pins(), full()] {
            assert_eq!(Pins::from_bytes(&pins.to_bytes()).unwrap(), pins);
        }
        let mut longer = full().to_bytes();
        longer.push(0);
        assert!(Pins::from_bytes(&longer).is_err());
        longer[0] = 2;
        assert!(Pins::from_bytes(&longer).is_err(), "a later version");
    }

    proptest! {
        #[test]
        fn arbitrary_or_cut_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), cut in 0usize..200) {
            let _ = Pins::from_bytes(&bytes);
            let whole = full().to_bytes();
            prop_assert!(Pins::from_bytes(&whole[..cut.min(whole.len() - 1)]).is_err());
        }
    }
}
