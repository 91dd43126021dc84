//! What an app is told.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use eft::{Account, Content, Delivery, Event};

/// Listens to an account for as long as it is open.
pub(crate) struct Ear {
    heard: Arc<Mutex<Heard>>,
}

/// See [`Ear`].
#[derive(Default)]
pub(crate) struct Heard {
    /// Beginnings of the texts of [`Event::MessageReceived`], in order.
    pub(crate) received: Vec<String>,
    /// Beginnings of the texts that the server has.
    pub(crate) acked: HashSet<String>,
    /// It was told to read everything anew: what it was not told of one by one is in the timeline.
    pub(crate) is_reset: bool,
    pub(crate) alarms: Vec<String>,
}

/// Up to the first point.
pub(crate) fn beginning(text: &str) -> String {
    text.split_inclusive('.')
        .next()
        .unwrap_or_default()
        .to_owned()
}

impl Ear {
    pub(crate) fn on(account: &Account) -> Self {
        let heard = Arc::<Mutex<Heard>>::default();
        let (mut events, ours) = (account.events(), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                ours.lock().unwrap().take(event);
            }
        });
        Self { heard }
    }

    pub(crate) fn heard_count(&self) -> usize {
        self.heard.lock().unwrap().received.len()
    }

    pub(crate) fn acked_count(&self) -> usize {
        self.heard.lock().unwrap().acked.len()
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        look(&self.heard.lock().unwrap())
    }
}

impl Heard {
    fn take(&mut self, event: Event) {
        match event {
            Event::MessageReceived(message) => match &message.content {
                Content::Text(text) => self.received.push(beginning(text)),
                Content::Unreadable(why) => self.alarms.push(format!("unreadable: {why}")),
            },
            Event::MessageChanged(message) => {
                if let (Some(Delivery::Acked), Content::Text(text)) =
                    (&message.delivery, &message.content)
                {
                    self.acked.insert(beginning(text));
                }
            }
            Event::Reset => self.is_reset = true,
            Event::RolledBack => self.alarms.push("an older copy".to_owned()),
            Event::IdentityChanged { device, .. } => {
                self.alarms.push(format!("another key of {device}"));
            }
            _ => {}
        }
    }
}
