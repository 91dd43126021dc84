//! Everybody in the story.

use eft::{Event, Fingerprint};
use eft_tests::{Login, Phone, Prosody};
use tempfile::TempDir;

use crate::story::{Failure, check};
use crate::telling::Telling;

/// A server, Alice with two devices, Bob and Dave with one each.
pub(crate) struct Cast {
    pub(crate) server: Prosody,
    pub(crate) alice: Login,
    pub(crate) bob: Login,
    pub(crate) dave: Login,
    pub(crate) phone: Phone,
    pub(crate) laptop: Phone,
    pub(crate) bobs: Phone,
    pub(crate) daves: Phone,
}

impl Cast {
    /// Starts the server and installs the devices.
    pub(crate) async fn gather(telling: &Telling, folder: &TempDir) -> Result<Self, Failure> {
        telling.chapter("A chat server starts on this machine");
        let server = Prosody::start().await?;
        telling.checked(&format!(
            "Prosody serves {} on a loopback port, encrypted connections only.",
            server.host()
        ));
        let alice = server.add_account("alice").await?;
        let bob = server.add_account("bob").await?;
        let dave = server.add_account("dave").await?;
        server.befriend("alice", "bob").await?;
        server.befriend("alice", "dave").await?;
        telling.checked("Alice, Bob and Dave have accounts.");

        telling.chapter("Four devices make their keys and publish them");
        let online = |login, name| Phone::online(&server, login, name, folder.path());
        let (phone, laptop) = (
            online(&alice, "alice-phone"),
            online(&alice, "alice-laptop"),
        );
        let (bobs, daves) = (online(&bob, "bob-phone"), online(&dave, "dave-phone"));
        let (mut phone, laptop) = (phone.await?, laptop.await?);
        let (bobs, daves) = (bobs.await?, daves.await?);
        for (whose, user, device) in [
            ("Alice's phone ", "alice", &phone),
            ("Alice's laptop", "alice", &laptop),
            ("Bob's phone   ", "bob", &bobs),
            ("Dave's phone  ", "dave", &daves),
        ] {
            let id = device.account.device_id().as_u32();
            check(
                server.pep_text(user)?.contains(&id.to_string()),
                "a device is not on its account's list on the server",
            )?;
            telling.checked(&format!(
                "{whose} is device {id:>10}, key {}",
                beginning(device.account.fingerprint())
            ));
        }
        // Her phone was there first: a device that comes later could be anybody's.
        let id = laptop.account.device_id();
        phone
            .wait("the laptop", |event| match event {
                Event::DeviceAppeared { device } if device.address.device == id => Some(()),
                _ => None,
            })
            .await?;
        phone.accept(&laptop).await?;
        telling.checked(
            "Alice's phone asks about her new laptop; she compares the keys and says yes.",
        );
        for device in [&bobs, &daves] {
            let contacts = device.account.contacts().await?;
            check(
                contacts
                    .iter()
                    .any(|contact| contact.jid == alice.jid && contact.seen_by_us),
                "Alice is not a contact",
            )?;
        }
        telling.checked("Bob and Dave have Alice in their contact lists.");
        Ok(Self {
            server,
            alice,
            bob,
            dave,
            phone,
            laptop,
            bobs,
            daves,
        })
    }

    /// Every device that runs Eft.
    pub(crate) fn devices(&self) -> [&Phone; 4] {
        [&self.phone, &self.laptop, &self.bobs, &self.daves]
    }
}

/// As much of a fingerprint as fits in a line. People compare all of it.
pub(crate) fn beginning(fingerprint: Fingerprint) -> String {
    let shown = fingerprint.to_string();
    let groups: Vec<_> = shown.split(' ').take(3).collect();
    format!("{} …", groups.join(" "))
}
