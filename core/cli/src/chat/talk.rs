//! One run of `eft chat`, from the first attempt to connect to the last acknowledgement.

use std::collections::{BTreeSet, HashSet};
use std::pin::pin;
use std::time::Duration;

use eft::{
    Account, CatchUpProgress, ConnectOptions, ConnectionState, Conversation, Delivery,
    DeviceAddress, Error, Event, Events, Message, MessageId, TIMELINE_PAGE_MAX,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::input::{self, Line};
use super::stop;
use crate::Failure;
use crate::args::Chat;
use crate::output::Output;

/// How long to wait for the end of catch-up and the server's acknowledgements after input has ended.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);

/// A chat under way.
pub(super) struct Talk<'a> {
    account: &'a Account,
    chat: &'a Chat,
    conversation: Conversation,
    events: Events,
    output: Output,
    /// Lines that the server may not have yet, those of earlier runs among them.
    unsettled: BTreeSet<MessageId>,
    /// Newest row that was shown, or stood there before.
    newest: Option<MessageId>,
    /// Devices whose appearance was shown: each comes on a list of either OMEMO version.
    announced: HashSet<DeviceAddress>,
    /// Lines that will not be sent.
    failed_count: usize,
    is_connected: bool,
    is_caught_up: bool,
}

impl<'a> Talk<'a> {
    /// Looks at what earlier runs left behind. Does not connect yet.
    pub(super) async fn begin(
        account: &'a Account,
        chat: &'a Chat,
        output: Output,
    ) -> Result<Self, Failure> {
        let conversation = account.conversation(chat.peer.clone());
        let events = account.events();
        let before = conversation
            .timeline(None, TIMELINE_PAGE_MAX)
            .await?
            .messages;
        Ok(Self {
            account,
            chat,
            conversation,
            events,
            output,
            unsettled: before
                .iter()
                .filter(|message| is_unsettled(message))
                .map(|message| message.id)
                .collect(),
            newest: before.iter().map(|message| message.id).max(),
            announced: HashSet::new(),
            failed_count: 0,
            is_connected: false,
            is_caught_up: false,
        })
    }

    pub(super) async fn run(mut self, options: ConnectOptions) -> Result<(), Failure> {
        let account = self.account;
        let mut connecting = pin!(account.connect(options));
        let mut stopped = pin!(stop::asked());
        // Nothing is taken from standard input that a refused login would leave behind in the outbox.
        let mut lines: Option<mpsc::Receiver<Line>> = None;
        let mut give_up: Option<Instant> = None;
        while give_up.is_none() || self.chat.follow || !self.is_done() {
            tokio::select! {
                biased;
                result = &mut stopped => {
                    result?;
                    return Ok(self.output.left_queued(self.unsettled.len())?);
                }
                result = &mut connecting, if !self.is_connected => {
                    result?;
                    self.is_connected = true;
                    lines = Some(input::lines()?);
                }
                event = self.events.next() => match event {
                    Some(event) => self.take_event(&event).await?,
                    None => return Err(Error::Suspended.into()),
                },
                line = next_line(&mut lines) => match line {
                    Some(line) => self.take_line(line?).await?,
                    None => {
                        lines = None;
                        give_up = Some(Instant::now() + FLUSH_TIMEOUT);
                    }
                },
                () = sleep_until(give_up), if !self.chat.follow => return Err(self.gave_up()),
            }
        }
        match self.failed_count {
            0 => Ok(()),
            count => Err(format!("{count} line(s) were not sent").into()),
        }
    }

    /// Whether there is nothing to wait for once input has ended.
    fn is_done(&self) -> bool {
        self.is_caught_up && self.unsettled.is_empty()
    }

    fn gave_up(&self) -> Failure {
        match self.unsettled.len() {
            0 => "the archive was not read to its end in time".into(),
            count => format!(
                "{count} line(s) not acknowledged in time; they stay queued for the next chat"
            )
            .into(),
        }
    }

    async fn take_line(&mut self, line: Vec<u8>) -> Result<(), Failure> {
        if line.is_empty() {
            return Ok(());
        }
        let refusal = match String::from_utf8(line) {
            Ok(text) => match self.conversation.send(text).await {
                Ok(id) => {
                    self.unsettled.insert(id);
                    self.newest = self.newest.max(Some(id));
                    return Ok(());
                }
                Err(
                    error @ (Error::InvalidInput { .. }
                    | Error::TooLarge { .. }
                    | Error::OptedOut { .. }),
                ) => error,
                Err(error) => return Err(error.into()),
            },
            Err(_) => Error::InvalidInput {
                reason: "a line that is not UTF-8".to_owned(),
            },
        };
        // One bad line is no reason to end the chat.
        self.failed_count += 1;
        Ok(self.output.refused(&refusal)?)
    }

    async fn take_event(&mut self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::MessageReceived(message) | Event::MessageChanged(message) => {
                // Messages of other conversations are stored but not printed here.
                if message.conversation != self.chat.peer {
                    return Ok(());
                }
                self.settle(message);
            }
            Event::CatchUpProgressed(CatchUpProgress { complete, .. }) => {
                self.is_caught_up = *complete;
            }
            // The failure of the first attempt is what the program ends with.
            Event::ConnectionChanged(ConnectionState::Offline { .. }) if !self.is_connected => {
                return Ok(());
            }
            Event::ConnectionChanged(ConnectionState::Online) => {
                let session = self.account.session_info().await?;
                return Ok(self.output.online(session)?);
            }
            // This device is news to nobody here, and another one only once.
            Event::DeviceAppeared { device }
                if device.this_device || !self.announced.insert(device.address.clone()) =>
            {
                return Ok(());
            }
            Event::DeviceVanished { jid, device } => {
                // Should it come back, that is news again.
                let is_other =
                    |known: &DeviceAddress| known.jid != *jid || known.device.as_u32() != *device;
                self.announced.retain(is_other);
            }
            // Of other conversations nothing is shown here.
            Event::OptedOut { jid, .. } if *jid != self.chat.peer => return Ok(()),
            Event::Reset => {
                self.output.event(event)?;
                return self.read_again().await;
            }
            _ => {}
        }
        Ok(self.output.event(event)?)
    }

    /// Notes how far a message of this conversation is.
    fn settle(&mut self, message: &Message) {
        self.newest = self.newest.max(Some(message.id));
        if !is_unsettled(message) && self.unsettled.remove(&message.id) {
            let has_failed = matches!(message.delivery, Some(Delivery::Failed { .. }));
            self.failed_count += usize::from(has_failed);
        }
    }

    /// Events were lost because printing was too slow: what they told stands in the timeline.
    async fn read_again(&mut self) -> Result<(), Failure> {
        let shown = self.newest;
        let mut missed = Vec::new();
        let mut before = None;
        loop {
            let page = self
                .conversation
                .timeline(before, TIMELINE_PAGE_MAX)
                .await?;
            let count = missed.len();
            missed.extend(page.messages.into_iter().filter(|message| {
                Some(message.id) > shown || self.unsettled.contains(&message.id)
            }));
            match page.older {
                Some(older) if missed.len() > count => before = Some(older),
                _ => break,
            }
        }
        for message in missed.iter().rev() {
            self.settle(message);
            // Lines of this device are known to whoever wrote them.
            if Some(message.id) > shown && message.delivery.is_none() {
                self.output.message("message", message)?;
            }
        }
        Ok(())
    }
}

/// Whether a message of this device is still on its way to the server.
const fn is_unsettled(message: &Message) -> bool {
    matches!(
        message.delivery,
        Some(Delivery::Queued | Delivery::Encrypted | Delivery::Sent)
    )
}

async fn next_line(lines: &mut Option<mpsc::Receiver<Line>>) -> Option<Line> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
