//! Random schedules: both sides send, and the network between them delays, reorders, repeats, spoils and loses.

use eft_omemo::{Action, EncryptedMessage, Version};
use eft_types::DeviceAddress;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::device::{Device, Read};
use crate::exchange::ephemeral_key_ends_at;
use crate::python::{
    Introduction, Python, bundle_for, bundle_of, hex, message_for, message_from, renew,
};
use crate::tally::Tally;

/// Sessions that either side makes anew in one schedule, beside the first.
const FRESH_SESSIONS: u32 = 4;

/// A message on its way, with what its reader has to find in it.
#[derive(Clone)]
struct Flying {
    message: EncryptedMessage,
    text: Option<Vec<u8>>,
}

/// One direction of the network.
#[derive(Default)]
struct Wire {
    flying: Vec<Flying>,
    /// Delivered; the network may repeat them.
    delivered: Vec<Flying>,
}

/// One schedule under way. Every difference between the two engines panics with the seed in the message.
pub(crate) struct Schedule<'p> {
    version: Version,
    python: &'p mut Python,
    eft: Device,
    other: DeviceAddress,
    rng: ChaCha20Rng,
    to_eft: Wire,
    to_other: Wire,
    /// Prekeys that an exchange has taken, on both sides: a second exchange for one may fail by design.
    taken_of_eft: Vec<u32>,
    taken_of_other: Vec<u32>,
    eft_has_session: bool,
    other_has_session: bool,
    fresh: u32,
    rotated: bool,
    number: u32,
    tally: Tally,
}

impl<'p> Schedule<'p> {
    pub(crate) fn new(
        version: Version,
        python: &'p mut Python,
        eft: Device,
        other: DeviceAddress,
        seed: u64,
    ) -> Self {
        let introduction = Introduction {
            version,
            eft: &eft.address,
            skip: 1000,
        };
        renew(python, &introduction);
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut eft = eft;
        eft.rng = ChaCha20Rng::seed_from_u64(rng.next_u64());
        Self {
            version,
            python,
            eft,
            other,
            rng,
            to_eft: Wire::default(),
            to_other: Wire::default(),
            taken_of_eft: Vec::new(),
            taken_of_other: Vec::new(),
            eft_has_session: false,
            other_has_session: false,
            fresh: 0,
            rotated: false,
            number: 0,
            tally: Tally::default(),
        }
    }

    pub(crate) fn run(mut self) -> Tally {
        let steps = 10 + self.below(60);
        for _ in 0..steps {
            match self.below(100) {
                0..28 => self.eft_sends(),
                28..56 => self.other_sends(),
                56..70 => self.deliver_to_eft(),
                70..84 => self.deliver_to_other(),
                84..87 => self.repeat(),
                87..91 => self.spoil(),
                91..94 => self.lose(),
                94..97 => {
                    self.eft.restart();
                    self.tally.restarts += 1;
                }
                97 => self.rotate(),
                98 => self.fresh_session(),
                _ => self.burst(),
            }
        }
        // The network calms down.
        self.drain();
        // Whatever happened, both can talk.
        self.eft_sends();
        self.deliver_to_other();
        self.other_sends();
        self.drain();
        self.tally
    }

    /// Everything that the network still has arrives, in any order.
    fn drain(&mut self) {
        while !(self.to_eft.flying.is_empty() && self.to_other.flying.is_empty()) {
            self.deliver_to_eft();
            self.deliver_to_other();
        }
    }

    fn eft_sends(&mut self) {
        if !self.eft_has_session {
            self.eft_initiates();
        }
        let text = self.text();
        let message = self.eft.send(&self.other, self.version, Some(&text));
        self.post_to_other(message, Some(text));
    }

    fn other_sends(&mut self) {
        let text = self.text();
        if !self.other_has_session {
            self.other_initiates(text);
            return;
        }
        let answer = self.python.ask(&json!({"do": "send", "text": hex(&text)}));
        self.post_to_eft(&answer, Some(text));
    }

    fn eft_initiates(&mut self) {
        let answer = self.python.ask(&json!({"do": "bundle"}));
        let mut fetched = bundle_of(self.version, &self.other, &answer);
        fetched
            .pre_keys
            .retain(|(id, _)| !self.taken_of_other.contains(id));
        fetched.pre_keys.truncate(1);
        self.taken_of_other
            .extend(fetched.pre_keys.iter().map(|(id, _)| *id));
        self.eft.initiate(fetched);
        self.eft_has_session = true;
        self.tally.sessions += 1;
    }

    fn other_initiates(&mut self, text: Vec<u8>) {
        let mut bundle = self.eft.bundle(self.version);
        bundle
            .pre_keys
            .retain(|(id, _)| !self.taken_of_eft.contains(id));
        bundle.pre_keys.truncate(1);
        self.taken_of_eft
            .extend(bundle.pre_keys.iter().map(|(id, _)| *id));
        let command = json!({"do": "initiate", "bundle": bundle_for(&bundle), "text": hex(&text)});
        let answer = self.python.ask(&command);
        self.other_has_session = true;
        self.tally.sessions += 1;
        self.post_to_eft(&answer, Some(text));
    }

    fn fresh_session(&mut self) {
        if self.fresh == FRESH_SESSIONS {
            return;
        }
        self.fresh += 1;
        if self.below(2) == 0 {
            self.eft_initiates();
            self.eft_sends();
        } else {
            let text = self.text();
            self.other_initiates(text);
        }
    }

    /// Enough in one go to make the receiver answer with a heartbeat.
    fn burst(&mut self) {
        let ours = self.below(2) == 0;
        for _ in 0..60 {
            if ours {
                self.eft_sends();
            } else {
                self.other_sends();
            }
        }
    }

    /// Once a schedule: a device keeps one signed prekey beside the present one, so an exchange that is still on
    /// its way after a second rotation would be lost by design.
    fn rotate(&mut self) {
        if std::mem::replace(&mut self.rotated, true) {
            return;
        }
        if self.below(2) == 0 {
            self.eft.rotate(self.version);
        } else {
            self.python.ask(&json!({"do": "rotate"}));
        }
    }

    fn deliver_to_eft(&mut self) {
        let Some(flying) = self.take(true) else {
            return;
        };
        let (read, actions) = self.eft.receive(&flying.message);
        assert_eq!(
            read,
            Read::Text(flying.text.clone()),
            "Eft cannot read what python-omemo sent"
        );
        self.eft_has_session = true;
        self.tally.delivered += 1;
        self.to_eft.delivered.push(flying);
        for action in actions {
            // A client answers at once, or it is killed first and answers later: never is like much later.
            if matches!(action, Action::SendEmpty { .. }) && self.below(4) != 0 {
                let message = self.eft.send(&self.other, self.version, None);
                self.post_to_other(message, None);
            }
        }
    }

    fn deliver_to_other(&mut self) {
        let Some(flying) = self.take(false) else {
            return;
        };
        let answer = self.give_to_other(&flying.message);
        let expected = json!({"text": flying.text.as_deref().map(hex)});
        assert_eq!(answer, expected, "python-omemo cannot read what Eft sent");
        self.other_has_session = true;
        self.tally.delivered += 1;
        self.to_other.delivered.push(flying);
        if self.below(20) == 0 {
            let answer = self.python.ask(&json!({"do": "send", "text": null}));
            self.post_to_eft(&answer, None);
        }
    }

    /// What was read once is not read again, by neither.
    fn repeat(&mut self) {
        if let Some(flying) = self
            .any(&self.to_eft.delivered.len())
            .map(|at| self.to_eft.delivered[at].clone())
        {
            let before = self.eft.stored().clone();
            let (read, actions) = self.eft.receive(&flying.message);
            assert_eq!(read, Read::Refused(eft_omemo::Outcome::Duplicate));
            assert!(actions.is_empty() && *self.eft.stored() == before);
            self.tally.repeated += 1;
        }
        if let Some(flying) = self
            .any(&self.to_other.delivered.len())
            .map(|at| self.to_other.delivered[at].clone())
        {
            let answer = self.give_to_other(&flying.message);
            assert!(
                answer.get("refused").is_some(),
                "python-omemo reads a message twice"
            );
            self.tally.repeated += 1;
        }
    }

    /// A copy with one bit turned arrives before the message itself. Nobody may read anything else in it than
    /// what was sent. It may be read all the same, where the bit is one that nobody authenticates or needs: then
    /// the message itself has been read.
    fn spoil(&mut self) {
        if let Some(at) = self.any(&self.to_eft.flying.len()) {
            let copy = self.spoiled(&self.to_eft.flying[at].message.clone());
            let before = self.eft.stored().clone();
            match self.eft.receive(&copy).0 {
                Read::Text(text) => {
                    let flying = self.to_eft.flying.remove(at);
                    assert_eq!(
                        text, flying.text,
                        "Eft reads something else in a spoiled message"
                    );
                    self.eft_has_session = true;
                    self.to_eft.delivered.push(flying);
                }
                Read::Refused(_) => assert!(*self.eft.stored() == before),
            }
            self.tally.spoiled += 1;
        }
        if let Some(at) = self.any(&self.to_other.flying.len()) {
            let copy = self.spoiled(&self.to_other.flying[at].message.clone());
            let answer = self.give_to_other(&copy);
            if answer.get("refused").is_none() {
                let flying = self.to_other.flying.remove(at);
                let expected = json!({"text": flying.text.as_deref().map(hex)});
                assert_eq!(
                    answer, expected,
                    "python-omemo reads something else in a spoiled message of ours"
                );
                self.other_has_session = true;
                self.to_other.delivered.push(flying);
            }
            self.tally.spoiled += 1;
        }
    }

    fn spoiled(&mut self, message: &EncryptedMessage) -> EncryptedMessage {
        let mut copy = message.clone();
        let mut bit = 1 << self.below(8);
        // Only the key: python-omemo advances its session before it looks at the payload, as it may.
        let key = &mut copy.keys[0];
        let at = usize::try_from(self.rng.next_u32()).unwrap() % key.data.len();
        // The one bit of an exchange that no Diffie-Hellman looks at (RFC 7748 §5). Eft refuses it; python-omemo reads the
        // copy, and from then on takes what is genuine for another exchange with the same prekey.
        if bit == 0x80 && key.kex && ephemeral_key_ends_at(self.version, &key.data) == Some(at + 1)
        {
            bit = 0x40;
        }
        key.data[at] ^= bit;
        copy
    }

    fn lose(&mut self) {
        let to_eft = self.below(2) == 0;
        if self.take(to_eft).is_some() {
            self.tally.lost += 1;
        }
    }

    fn give_to_other(&mut self, message: &EncryptedMessage) -> Value {
        // Eft's Ed25519 form has sign 0; a legacy client learns the sign from the signature in the bundle.
        self.python
            .ask(&json!({"do": "receive", "message": message_for(message), "sign": false}))
    }

    fn post_to_eft(&mut self, answer: &Value, text: Option<Vec<u8>>) {
        let message = message_from(self.version, &self.other, &self.eft.address, answer);
        self.to_eft.flying.push(Flying { message, text });
        self.tally.sent += 1;
    }

    fn post_to_other(&mut self, message: EncryptedMessage, text: Option<Vec<u8>>) {
        self.to_other.flying.push(Flying { message, text });
        self.tally.sent += 1;
    }

    /// The oldest most often, else any.
    fn take(&mut self, to_eft: bool) -> Option<Flying> {
        let length = if to_eft {
            self.to_eft.flying.len()
        } else {
            self.to_other.flying.len()
        };
        let at = if self.below(10) < 6 {
            0
        } else {
            self.any(&length)?
        };
        let wire = if to_eft {
            &mut self.to_eft
        } else {
            &mut self.to_other
        };
        (at < length).then(|| wire.flying.remove(at))
    }

    fn any(&mut self, length: &usize) -> Option<usize> {
        let length = u32::try_from(*length).unwrap();
        (length > 0).then(|| usize::try_from(self.below(length)).unwrap())
    }

    fn text(&mut self) -> Vec<u8> {
        self.number += 1;
        let mut text = format!("message {} ", self.number).into_bytes();
        text.resize(text.len() + usize::try_from(self.below(40)).unwrap(), b'.');
        text
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.rng.next_u32() % bound
    }
}
