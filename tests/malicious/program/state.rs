//! What all connections of one run share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eft_xmpp::Element;
use tokio::sync::mpsc;

use super::archive::Archive;
use super::login::Login;

/// Who the client is, and who else there is.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    pub(crate) domain: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Cast {
    /// The account of the client.
    pub(crate) fn own(&self) -> String {
        format!("{}@{}", self.user, self.domain)
    }
}

/// Somebody on the client's contact list, who may send it messages and nothing else.
pub(crate) const CONTACT: &str = "friend@c.example";
/// Somebody who is not.
pub(crate) const STRANGER: &str = "stranger@s.example";

/// See the module.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) cast: Cast,
    pub(crate) login: Login,
    /// To the client that is logged in.
    pub(crate) session: Option<mpsc::UnboundedSender<String>>,
    /// Its full address.
    pub(crate) address: Option<String>,
    /// What it said before TLS, and behind it, as text.
    pub(crate) heard_in_clear: String,
    pub(crate) heard: Vec<String>,
    /// What it said to somebody between.
    pub(crate) heard_between: String,
    /// What was decided about those who wanted in, and why.
    pub(crate) verdicts: Vec<String>,
    /// Tokens that were given out, each with its mechanism in front.
    pub(crate) tokens: Vec<(String, String)>,
    /// Connections since the last change of the login.
    pub(crate) connection_count: u64,
    /// Items by account and node: id and payload.
    pub(crate) nodes: BTreeMap<(String, String), (String, Element)>,
    /// The contact list.
    pub(crate) contacts: Vec<String>,
    /// What the next answers of the archive hold: stanzas in which `{query}` stands for its id, the cursor, and
    /// whether the archive then says that it is at its end.
    pub(crate) pages: VecDeque<Page>,
    /// What the archive holds otherwise.
    pub(crate) archive: Archive,
    /// The archive answers when it is told to.
    pub(crate) is_holding: bool,
    /// The request that waits for that.
    pub(crate) held: Option<Element>,
    /// When archive queries came, in microseconds since 1970.
    pub(crate) queries_at: Vec<u64>,
}

impl State {
    /// What was heard begins anew.
    pub(crate) fn forget(&mut self) {
        self.heard.clear();
        self.heard_in_clear.clear();
        self.heard_between.clear();
        self.verdicts.clear();
        self.connection_count = 0;
    }
}

/// An answer of the archive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) stanzas: Vec<String>,
    pub(crate) last: Option<String>,
    pub(crate) is_complete: bool,
    /// Sent behind the end of the page.
    pub(crate) behind: Vec<String>,
    /// Comes again and again.
    pub(crate) is_endless: bool,
}

pub(crate) type Shared = Arc<Mutex<State>>;

/// Locked for a moment; nobody panics within.
pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
