//! Another client, and the words of its stanzas. It shares the engine with Alice and nothing else:
//! its XML is written here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use eft_omemo::{
    EncryptedMessage, Outcome, ReceiveContext, Records, TrustPolicy, UnverifiedBundle, Version,
    encrypt, encrypt_empty, initiate, install, own_address, permit, receive,
};
use eft_types::{BareJid, DeviceAddress, Timestamp};
use eft_xmpp::Element;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::Alice;
use crate::unit::StepFailure;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A device whose records lie in memory only.
pub(crate) struct Peer {
    pub(crate) address: DeviceAddress,
    records: Records,
    rng: StdRng,
}

impl Peer {
    pub(crate) fn install(jid: &str, seed: u64) -> Self {
        let jid = BareJid::new(jid).unwrap();
        let mut rng = StdRng::seed_from_u64(seed);
        let mut records = Records::new();
        records.apply(install(&jid, &[], NOW, &mut rng).changes);
        let address = own_address(&records).unwrap();
        Self {
            address,
            records,
            rng,
        }
    }

    /// Bob's device, with a session to Alice made from her bundle.
    pub(crate) fn bob(alice: &Alice, version: Version) -> Self {
        let mut bob = Self::install("bob@b.example", 2);
        bob.meet(alice, version);
        bob
    }

    /// Another installation under Bob's address, with a session to Alice.
    pub(crate) fn bob_again(alice: &Alice, version: Version) -> Self {
        let mut other = Self::install("bob@b.example", 9);
        other.meet(alice, version);
        other
    }

    /// Makes a session from Alice's bundle.
    pub(crate) fn meet(&mut self, alice: &Alice, version: Version) {
        self.meet_by(alice.bundle(version));
    }

    /// Makes a session from a bundle.
    pub(crate) fn meet_by(&mut self, bundle: UnverifiedBundle) {
        let bundle = bundle.verify().unwrap();
        let effects = run(&mut self.records, &mut self.rng, |records, rng| {
            initiate(records, &bundle, NOW, rng)
        });
        self.records.apply(effects.changes);
    }

    /// Encrypts content for Alice.
    pub(crate) fn encrypt(
        &mut self,
        alice: &Alice,
        version: Version,
        plaintext: impl AsRef<[u8]>,
    ) -> EncryptedMessage {
        let to = &alice.own;
        let encrypted = run(&mut self.records, &mut self.rng, |records, rng| {
            let device = permit(TrustPolicy::default(), records, to).unwrap();
            encrypt(records, version, plaintext.as_ref(), &[device], rng)
        });
        self.records.apply(encrypted.changes);
        encrypted.message
    }

    /// Encrypts a text for Alice: in an envelope where the version has envelopes.
    pub(crate) fn write(
        &mut self,
        alice: &Alice,
        version: Version,
        text: &str,
    ) -> EncryptedMessage {
        match version {
            Version::Omemo2 => {
                let plaintext = in_envelope(
                    &format!("<body xmlns='jabber:client'>{text}</body>"),
                    &affixes(&self.address.jid, &alice.own.jid),
                );
                self.encrypt(alice, version, plaintext)
            }
            Version::Legacy => self.encrypt(alice, version, text),
        }
    }

    /// An empty message for Alice.
    pub(crate) fn encrypt_empty(&mut self, alice: &Alice, version: Version) -> EncryptedMessage {
        let encrypted = run(&mut self.records, &mut self.rng, |records, rng| {
            encrypt_empty(records, &alice.own, version, rng)
        });
        self.records.apply(encrypted.changes);
        encrypted.message
    }

    /// Takes a message of Alice.
    pub(crate) fn receive(&mut self, message: &EncryptedMessage) {
        let context = ReceiveContext {
            catch_up: false,
            may_evict: true,
            now: NOW,
        };
        let received = run(&mut self.records, &mut self.rng, |records, rng| {
            receive(records, message, context, rng)
        });
        assert!(
            matches!(
                received.outcome,
                Outcome::Decrypted { .. } | Outcome::Empty { .. }
            ),
            "{:?}",
            received.outcome
        );
        self.records.apply(received.changes);
    }
}

/// Runs a step on records of which nothing else exists anywhere.
fn run<T, E: StepFailure + core::fmt::Debug>(
    records: &mut Records,
    rng: &mut StdRng,
    mut step: impl FnMut(&Records, &mut StdRng) -> Result<T, E>,
) -> T {
    for _ in 0..8 {
        match step(records, rng) {
            Err(failure) if failure.missing().is_some() => {
                for key in failure.missing().unwrap_or_default().to_vec() {
                    records.insert_loaded(key, None);
                }
            }
            done => return done.unwrap(),
        }
    }
    panic!("a step asks for records again and again")
}

/// `<from/>` and `<to/>`.
pub(crate) fn affixes(from: &BareJid, to: &BareJid) -> String {
    format!("<from jid='{from}'/><to jid='{to}'/>")
}

/// An envelope (XEP-0420) with these children of its content and these affixes.
pub(crate) fn in_envelope(content: &str, affixes: &str) -> String {
    format!(
        "<envelope xmlns='urn:xmpp:sce:1'><content>{content}</content><rpad>x</rpad>{affixes}</envelope>"
    )
}

/// A message stanza with these attributes and children.
pub(crate) fn message(attributes: &str, children: &str) -> Element {
    format!("<message xmlns='jabber:client' {attributes}>{children}</message>")
        .parse()
        .unwrap()
}

/// What encrypted messages look like on the wire.
pub(crate) trait Words {
    /// The `<encrypted/>` element.
    fn element(&self) -> String;

    /// The stanza from the sender's account to Alice, without any id.
    fn stanza(&self) -> Element {
        self.stanza_with("", "")
    }

    /// The same with further attributes and children.
    fn stanza_with(&self, attributes: &str, children: &str) -> Element;
}

impl Words for EncryptedMessage {
    fn element(&self) -> String {
        let payload = self.payload.as_ref().map_or_else(String::new, |payload| {
            format!("<payload>{}</payload>", BASE64.encode(payload))
        });
        let sid = self.sid;
        match self.version {
            Version::Omemo2 => {
                let keys: String = self
                    .keys
                    .iter()
                    .map(|key| {
                        format!(
                            "<keys jid='{}'><key rid='{}' kex='{}'>{}</key></keys>",
                            key.jid.as_ref().unwrap(),
                            key.rid,
                            key.kex,
                            BASE64.encode(&key.data)
                        )
                    })
                    .collect();
                format!(
                    "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='{sid}'>{keys}</header>{payload}</encrypted>"
                )
            }
            Version::Legacy => {
                let keys: String = self
                    .keys
                    .iter()
                    .map(|key| {
                        let data = BASE64.encode(&key.data);
                        format!("<key rid='{}' prekey='{}'>{data}</key>", key.rid, key.kex)
                    })
                    .collect();
                let iv = BASE64.encode(self.iv.as_ref().unwrap());
                format!(
                    "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='{sid}'>{keys}\
                     <iv>{iv}</iv></header>{payload}</encrypted>"
                )
            }
        }
    }

    fn stanza_with(&self, attributes: &str, children: &str) -> Element {
        let from = &self.sender;
        message(
            &format!("from='{from}/phone' to='alice@a.example/eft' type='chat' {attributes}"),
            &format!(
                "{}{children}<store xmlns='urn:xmpp:hints'/>",
                self.element()
            ),
        )
    }
}
