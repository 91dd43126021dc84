//! What the archive holds: messages of 50 devices, encrypted for the one that is measured.

use eft_bench::Failure;
use eft_bench::people::{Installation, rng};
use eft_omemo::{EncryptedKey, EncryptedMessage, TrustedDevice, UnverifiedBundle};
use eft_tests::Version;
use eft_tests::rogue::wire;
use eft_types::{BareJid, DeviceAddress, DeviceId, Timestamp};
use eft_xmpp::Element;
use eft_xmpp::xep::message::body;
use eft_xmpp::xep::{datetime, sce};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;

pub(crate) const DOMAIN: &str = "m.example";
pub(crate) const ACCOUNT: &str = "user@m.example";
pub(crate) const PASSWORD: &str = "pencil";

const CONTACTS: usize = 10;
const DEVICES: usize = 50;
/// In each header, of which one is for the device that is measured.
const KEYS: usize = 4;
const TEXT_BYTES: usize = 100;
/// Their ids are counted from here.
const GREETINGS: usize = 1 << 32;
const BEGIN: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// The text of a message: its number, and what fills it up.
pub(crate) fn text(number: usize) -> String {
    let begin = format!("message {number}: ");
    let fill = "what one says to another when there is nothing new ";
    begin
        .chars()
        .chain(fill.chars().cycle())
        .take(TEXT_BYTES)
        .collect()
}

/// The number of a message by its text.
pub(crate) fn number_of(text: &str) -> Option<usize> {
    let (number, _) = text.strip_prefix("message ")?.split_once(':')?;
    number.parse().ok()
}

/// One of the devices that write.
struct Writer {
    installation: Installation,
    reader: TrustedDevice,
    /// Other devices that the same messages are for.
    others: Vec<DeviceId>,
}

/// See the module.
pub(crate) struct Script {
    version: Version,
    owner: BareJid,
    writers: Vec<Writer>,
    rng: ChaCha20Rng,
}

fn contact(number: usize) -> Result<BareJid, Failure> {
    Ok(BareJid::new(&format!("contact-{number}@c.example"))?)
}

impl Script {
    /// All devices make sessions with the reader, who published these keys: each with a prekey of its own.
    pub(crate) fn begin(version: Version, published: &UnverifiedBundle) -> Result<Self, Failure> {
        let mut rng = rng(1);
        let mut writers = Vec::new();
        for number in 0..DEVICES {
            let jid = contact(number % CONTACTS)?;
            let (installation, _) = Installation::new(&jid, u64::try_from(number)? + 100)?;
            let mut installation = installation.writing(version.into());
            let pre_key = published.pre_keys.get(number).ok_or("too few prekeys")?;
            let reader = installation.meet_owner(UnverifiedBundle {
                pre_keys: vec![pre_key.clone()],
                ..published.clone()
            })?;
            let others = (1..KEYS)
                .map(|_| DeviceId::new(rng.next_u32() >> 1 | 1))
                .collect::<Result<_, _>>()?;
            writers.push(Writer {
                installation,
                reader,
                others,
            });
        }
        Ok(Self {
            version,
            owner: BareJid::new(ACCOUNT)?,
            writers,
            rng,
        })
    }

    /// The contacts.
    pub(crate) fn contacts() -> Result<Vec<BareJid>, Failure> {
        (0..CONTACTS).map(contact).collect()
    }

    /// The list of each contact's devices.
    pub(crate) fn lists(&self) -> Result<Vec<(BareJid, Element)>, Failure> {
        Self::contacts()?
            .into_iter()
            .map(|jid| {
                let addresses = self
                    .writers
                    .iter()
                    .map(|writer| &writer.installation.address);
                let devices: Vec<_> = addresses
                    .filter(|address| address.jid == jid)
                    .map(|address| address.device)
                    .collect();
                let list = wire::list(self.version, &devices);
                Ok((jid, list))
            })
            .collect()
    }

    /// One message of each device, which makes the session on the other side.
    pub(crate) fn greetings(&mut self) -> Result<Vec<String>, Failure> {
        (0..DEVICES)
            .map(|number| self.message(number, "hello", number + GREETINGS))
            .collect()
    }

    /// The answers to these, so that what follows is no key exchange any more. How many were read.
    pub(crate) fn take_answers(&mut self, heard: &[String]) -> Result<usize, Failure> {
        let mut count = 0;
        for text in heard.iter().filter(|text| text.starts_with("<message")) {
            let stanza: Element = text.parse()?;
            let to = stanza.attr("to").unwrap_or_default();
            for (_, message) in wire::encrypted_elements(&stanza, &self.owner)? {
                let is_for = |address: &DeviceAddress| {
                    address.jid.as_str() == to
                        && message.keys.iter().any(|key| key.rid == address.device)
                };
                let writers = self.writers.iter_mut();
                for writer in writers.filter(|writer| is_for(&writer.installation.address)) {
                    writer.installation.read(&message)?;
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// How many devices there are.
    pub(crate) const fn devices() -> usize {
        DEVICES
    }

    /// Result number `number` of the archive, by any of the devices: the stanza and its id.
    pub(crate) fn result(&mut self, number: usize) -> Result<(String, String), Failure> {
        let device = usize::try_from(self.rng.next_u32())? % DEVICES;
        let message = self.message(device, &text(number), number)?;
        let id = format!("0191a7b2-0000-7000-8000-{number:012x}");
        let stamp = datetime::format(BEGIN.saturating_add_millis(i64::try_from(number)? * 1000));
        let result = format!(
            "<message from='{ACCOUNT}' to='{ACCOUNT}/client'><result xmlns='urn:xmpp:mam:2' queryid='{{query}}' id='{id}'>\
             <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>{message}\
             </forwarded></result></message>"
        );
        Ok((result, id))
    }

    fn message(&mut self, device: usize, text: &str, number: usize) -> Result<String, Failure> {
        let writer = self.writers.get_mut(device).ok_or("no such device")?;
        let from = writer.installation.address.jid.clone();
        let content = match self.version {
            Version::Legacy => text.to_owned(),
            Version::Omemo2 => sce::Envelope {
                content: vec![body(text)],
                time: Some(BEGIN),
                from: Some(from.clone()),
                to: Some(self.owner.clone()),
            }
            .to_text(&mut self.rng)?,
        };
        let to = std::slice::from_ref(&writer.reader);
        let (mut message, _) = writer.installation.write(content.as_bytes(), to)?;
        add_others(&mut message, &writer.others, &mut self.rng)?;
        let element = String::from(&wire::encrypted(&message, &self.owner));
        Ok(format!(
            "<message xmlns='jabber:client' type='chat' from='{from}/phone' to='{ACCOUNT}' id='{number:032x}'>{element}\
             <origin-id xmlns='urn:xmpp:sid:0' id='{number:032x}'/><store xmlns='urn:xmpp:hints'/></message>"
        ))
    }
}

/// Keys for other devices: as long, and of no use to us.
fn add_others(
    message: &mut EncryptedMessage,
    others: &[DeviceId],
    rng: &mut ChaCha20Rng,
) -> Result<(), Failure> {
    let ours = message.keys.first().ok_or("no key")?.clone();
    for rid in others {
        let mut data = vec![0; ours.data.len()];
        rng.fill_bytes(&mut data);
        message.keys.push(EncryptedKey {
            rid: *rid,
            kex: false,
            data,
            ..ours.clone()
        });
    }
    Ok(())
}
