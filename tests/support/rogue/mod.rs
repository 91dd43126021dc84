//! A device that nobody has: keys that the operator of the server made and lists as one of a user's devices.
//!
//! The one module of this crate that speaks OMEMO, by Eft's own engine: what it may not be able to read, nobody
//! with these keys can. That it does read what was encrypted for it has to be shown beside, by the same calls.

pub mod wire;

use std::time::{SystemTime, UNIX_EPOCH};

use eft_omemo::{
    EncryptError, EncryptedMessage, Fingerprint, InitiateError, NotTrusted, Outcome,
    ReceiveContext, RecordKey, Records, StepError, TrustPolicy, bundle, encrypt, initiate, install,
    own_address, own_fingerprint, permit, receive,
};
use eft_types::{BareJid, DeviceAddress, DeviceId, Timestamp};
use eft_xmpp::Element;
use eft_xmpp::xep::message::{self, MessageHead};
use eft_xmpp::xep::sce;

use crate::bot::Version;
use crate::prosody::Prosody;

/// Rounds of asking for records that no step needs.
const MAX_ROUNDS: usize = 16;

/// What stops a rogue.
pub type RogueError = Box<dyn std::error::Error + Send + Sync>;

/// A device with keys of its own on somebody else's account.
#[derive(Debug)]
pub struct Rogue {
    address: DeviceAddress,
    fingerprint: Fingerprint,
    /// Everything that there is: this device has no store.
    records: Records,
}

/// What became of one encrypted element.
#[derive(Debug)]
pub struct Reading {
    /// Which OMEMO the element is of.
    pub version: Version,
    /// Keys in it that name the rogue.
    pub key_count: usize,
    /// What the engine made of it.
    pub outcome: Outcome,
}

impl Rogue {
    /// Makes the keys. Nothing is published.
    ///
    /// # Errors
    ///
    /// None that a test has seen; the engine's own.
    pub fn new(owner: &BareJid) -> Result<Self, RogueError> {
        let mut records = Records::new();
        records.apply(install(owner, &[], now()?, &mut rand::rng()).changes);
        Ok(Self {
            address: own_address(&records)?,
            fingerprint: own_fingerprint(&records)?,
            records,
        })
    }

    /// Its device id.
    pub fn id(&self) -> DeviceId {
        self.address.device
    }

    /// What its key looks like to people.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Publishes its bundles and puts it on its owner's lists of these versions, behind the devices `beside`.
    ///
    /// # Errors
    ///
    /// Those of [`Prosody::publish_as_operator`].
    pub async fn slip_in(
        &self,
        server: &Prosody,
        beside: &[DeviceId],
        versions: &[Version],
    ) -> Result<(), RogueError> {
        let devices: Vec<_> = beside.iter().copied().chain([self.id()]).collect();
        // The bundle first: who hears of the list asks for it at once.
        for version in versions {
            let (node, item) = wire::bundle_item(*version, self.id());
            self.publish_bundle_at(server, *version, &node, &item)
                .await?;
            let (node, item) = wire::list_item(*version);
            let list = wire::list(*version, &devices);
            self.publish(server, node, item, &list).await?;
        }
        Ok(())
    }

    /// Publishes its keys as those of `victim`, a device that its owner has.
    ///
    /// # Errors
    ///
    /// Those of [`Prosody::publish_as_operator`].
    pub async fn replace_bundle(
        &self,
        server: &Prosody,
        victim: DeviceId,
        version: Version,
    ) -> Result<(), RogueError> {
        let (node, item) = wire::bundle_item(version, victim);
        self.publish_bundle_at(server, version, &node, &item).await
    }

    async fn publish_bundle_at(
        &self,
        server: &Prosody,
        version: Version,
        node: &str,
        item: &str,
    ) -> Result<(), RogueError> {
        let keys = bundle(&self.records, version.into())?;
        let element = wire::bundle(version, keys);
        self.publish(server, node, item, &element).await
    }

    async fn publish(
        &self,
        server: &Prosody,
        node: &str,
        item: &str,
        payload: &Element,
    ) -> Result<(), RogueError> {
        let user = localpart(&self.address.jid)?;
        Ok(server
            .publish_as_operator(user, node, item, &String::from(payload))
            .await?)
    }

    /// Tries to decrypt every encrypted element of a message stanza.
    ///
    /// # Errors
    ///
    /// When the stanza is no message with an encrypted element in it.
    pub fn read(&mut self, stanza: &str) -> Result<Vec<Reading>, RogueError> {
        let stanza: Element = stanza.parse()?;
        let sender = MessageHead::parse(&stanza)
            .and_then(|head| head.from)
            .ok_or("a stanza without a sender")?
            .to_bare();
        let messages = wire::encrypted_elements(&stanza, &sender)?;
        if messages.is_empty() {
            return Err("nothing in the stanza is encrypted".into());
        }
        messages
            .into_iter()
            .map(|(version, message)| self.decrypt(version, &message))
            .collect()
    }

    fn decrypt(
        &mut self,
        version: Version,
        message: &EncryptedMessage,
    ) -> Result<Reading, RogueError> {
        let context = ReceiveContext {
            catch_up: false,
            may_evict: true,
            now: now()?,
        };
        let received = self.step(|records| {
            receive(records, message, context, &mut rand::rng()).map_err(missing_or_failed)
        })?;
        self.records.apply(received.changes);
        let own = &self.address;
        Ok(Reading {
            version,
            key_count: message
                .keys
                .iter()
                .filter(|key| key.rid == own.device)
                .filter(|key| key.jid.as_ref().is_none_or(|jid| *jid == own.jid))
                .count(),
            outcome: received.outcome,
        })
    }

    /// A message of its owner's account to `to`, encrypted over `urn:xmpp:omemo:2` with the rogue's keys: one
    /// stanza. It says that it comes from the device `claimed`.
    ///
    /// # Errors
    ///
    /// When `to` publishes no usable bundle.
    pub async fn write(
        &mut self,
        server: &Prosody,
        to: &DeviceAddress,
        text: &str,
        claimed: DeviceId,
    ) -> Result<String, RogueError> {
        self.write_content(server, to, message::body(text), claimed)
            .await
    }

    /// As [`Rogue::write`], with any element as the content of the envelope (XEP-0420).
    ///
    /// # Errors
    ///
    /// When `to` publishes no usable bundle.
    pub async fn write_content(
        &mut self,
        server: &Prosody,
        to: &DeviceAddress,
        content: Element,
        claimed: DeviceId,
    ) -> Result<String, RogueError> {
        let version = eft_omemo::Version::Omemo2;
        let (node, item) = wire::bundle_item(Version::Omemo2, to.device);
        let published = server
            .published_item(localpart(&to.jid)?, &node, &item)
            .await?;
        let keys =
            wire::published_bundle(Version::Omemo2, to.clone(), &published.parse()?)?.verify()?;
        let at = now()?;
        let session = self.step(|records| {
            initiate(records, &keys, at, &mut rand::rng()).map_err(|error| match error {
                InitiateError::Step(error) => missing_or_failed(error),
                error => Stop::Failed(error.into()),
            })
        })?;
        self.records.apply(session.changes);
        let device = self.step(|records| {
            permit(TrustPolicy::default(), records, to).map_err(|error| match error {
                NotTrusted::Step(error) => missing_or_failed(error),
                error => Stop::Failed(error.into()),
            })
        })?;
        let envelope = sce::Envelope {
            content: vec![content],
            time: Some(at),
            from: Some(self.address.jid.clone()),
            to: Some(to.jid.clone()),
        }
        .to_text(&mut rand::rng())?;
        let sent = self.step(|records| {
            let devices = std::slice::from_ref(&device);
            let content = envelope.as_bytes();
            encrypt(records, version, content, devices, &mut rand::rng()).map_err(|error| {
                match error {
                    EncryptError::Step(error) => missing_or_failed(error),
                    error => Stop::Failed(error.into()),
                }
            })
        })?;
        self.records.apply(sent.changes);
        let mut message = sent.message;
        message.sid = claimed;
        let element = wire::encrypted(&message, &to.jid);
        Ok(format!(
            "<message xmlns='jabber:client' type='chat' from='{}/rogue' to='{}' id='rogue-{claimed}'>{}\
             <store xmlns='urn:xmpp:hints'/></message>",
            self.address.jid,
            to.jid,
            String::from(&element),
        ))
    }

    /// Runs a step of the engine. What it misses does not exist.
    fn step<T>(
        &mut self,
        mut step: impl FnMut(&Records) -> Result<T, Stop>,
    ) -> Result<T, RogueError> {
        for _ in 0..MAX_ROUNDS {
            match step(&self.records) {
                Ok(value) => return Ok(value),
                Err(Stop::Missing(keys)) => {
                    for key in keys {
                        self.records.insert_loaded(key, None);
                    }
                }
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        Err("the engine keeps asking for records".into())
    }
}

impl Reading {
    /// The text of the message, if it could be decrypted.
    pub fn text(&self) -> Option<String> {
        let Outcome::Decrypted { plaintext, .. } = &self.outcome else {
            return None;
        };
        match self.version {
            Version::Omemo2 => {
                let envelope = sce::Envelope::parse(plaintext.as_bytes()).ok()?;
                message::body_of(&envelope.content)
            }
            Version::Legacy => String::from_utf8(plaintext.as_bytes().to_vec()).ok(),
        }
    }
}

impl From<Version> for eft_omemo::Version {
    fn from(version: Version) -> Self {
        match version {
            Version::Omemo2 => Self::Omemo2,
            Version::Legacy => Self::Legacy,
        }
    }
}

/// Why a step did not run.
enum Stop {
    Missing(Vec<RecordKey>),
    Failed(RogueError),
}

fn missing_or_failed(error: StepError) -> Stop {
    match error {
        StepError::Missing(keys) => Stop::Missing(keys),
        error => Stop::Failed(error.into()),
    }
}

fn localpart(jid: &BareJid) -> Result<&str, RogueError> {
    Ok(jid.node().ok_or("an account without a name")?.as_str())
}

fn now() -> Result<Timestamp, RogueError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp::from_millis(i64::try_from(since.as_millis())?))
}
