//! The account's two processes, as the parent has them.

use std::time::Duration;

use eft::BareJid;
use eft_tests::{Child, Home, wait_for};

use super::{app, extension, screen};

const TEST: &str = "whoever_a_push_wakes_and_whoever_is_killed_every_message_is_shown_once";

/// How long a process may take to end when nobody tells it anything any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a process said from its start to its end, and when it was killed.
#[derive(Clone)]
pub(crate) struct Life {
    pub(crate) part: &'static str,
    pub(crate) said: Vec<String>,
    pub(crate) killed_at: Option<u64>,
    /// When it was frozen, and when it went on.
    pub(crate) frozen: Vec<(u64, u64)>,
}

/// A place for one process after the other.
pub(crate) struct Place {
    part: &'static str,
    home: Home,
    peer: BareJid,
    child: Option<Child>,
    frozen: Vec<(u64, u64)>,
    /// Pushes that the present one got.
    pushed: usize,
    pub(crate) lives: Vec<Life>,
    pub(crate) faults: Vec<String>,
}

impl Place {
    pub(crate) fn new(part: &'static str, home: &Home, peer: &BareJid) -> Self {
        Self {
            part,
            home: home.clone(),
            peer: peer.clone(),
            child: None,
            frozen: Vec::new(),
            pushed: 0,
            lives: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Tells it something; starts it if it is not there.
    pub(crate) async fn tell(&mut self, line: &str) {
        self.bury().await;
        let child = self.child.get_or_insert_with(|| {
            let more = [(app::PEER, self.peer.to_string())];
            Child::of_test(TEST, self.part, self.home.environment().chain(more)).unwrap()
        });
        child.tell(line).await;
    }

    pub(crate) async fn push(&mut self, number: u64) {
        self.tell(&push(number)).await;
        self.pushed += 1;
    }

    /// How many pushes it has not answered.
    pub(crate) fn unanswered(&self) -> usize {
        let answered = self.said().iter().filter(|line| is_answer(line)).count();
        self.pushed.saturating_sub(answered)
    }

    pub(crate) fn said(&self) -> Vec<String> {
        self.child.as_ref().map(Child::said).unwrap_or_default()
    }

    /// Whether the present one has said a line that ends so.
    pub(crate) fn has_said(&self, end: &str) -> bool {
        self.said().iter().any(|line| line.ends_with(end))
    }

    /// Whether it is not there, or has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.child.as_ref().is_none_or(Child::has_ended)
    }

    pub(crate) async fn kill(&mut self) {
        self.bury().await;
        if let Some(child) = self.child.take() {
            let at = screen::now();
            let said = child.kill().await.unwrap();
            self.note(said, Some(at));
        }
    }

    /// Stops it for a while. It may be killed or told something meanwhile: it notices afterwards.
    pub(crate) async fn freeze(&mut self, time: Duration) {
        if let Some(child) = &self.child {
            let begun = screen::now();
            child.freeze().unwrap();
            tokio::time::sleep(time).await;
            child.thaw().unwrap();
            self.frozen.push((begun, screen::now()));
        }
    }

    /// Tells it nothing any more, and waits for its end.
    pub(crate) async fn end(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        child.close();
        let ended = wait_for("its end", PATIENCE, || async { child.has_ended() });
        if ended.await.is_ok() {
            let (is_well, said) = child.end().await.unwrap();
            if !is_well {
                self.faults
                    .push(format!("the {} did not end well", self.part));
            }
            self.note(said, None);
        } else {
            let at = screen::now();
            let said = child.kill().await.unwrap();
            let last = &said[said.len().saturating_sub(8)..];
            self.faults
                .push(format!("the {} stood still, after {last:?}", self.part));
            self.note(said, Some(at));
        }
    }

    /// One that could not open the account has ended by itself; nothing else may.
    async fn bury(&mut self) {
        if let Some(child) = &self.child
            && child.has_ended()
        {
            self.end().await;
        }
    }

    fn note(&mut self, said: Vec<String>, killed_at: Option<u64>) {
        self.pushed = 0;
        self.lives.push(Life {
            part: self.part,
            said,
            killed_at,
            frozen: std::mem::take(&mut self.frozen),
        });
    }
}

/// The line that a push is.
fn push(number: u64) -> String {
    format!("push {number}")
}

fn is_answer(line: &str) -> bool {
    line.split(' ').nth(1) == Some("push")
}

/// The app and the extension of an account.
pub(crate) struct Stage {
    pub(crate) app: Place,
    pub(crate) extension: Place,
}

impl Stage {
    pub(crate) fn new(home: &Home, peer: &BareJid) -> Self {
        Self {
            app: Place::new(app::PART, home, peer),
            extension: Place::new(extension::PART, home, peer),
        }
    }
}
