//! What an account tells of itself to whoever helps.

use super::Account;
use crate::command::Command;
use crate::report::Report;

impl Account {
    /// What is known of the account, and what is wrong with it: why push, OMEMO or login does not work. Its text is made to be
    /// sent to whoever helps; see [`Report`] for what it leaves out. While the account is online the server is asked what it
    /// can do, for at most some seconds. Without a connection, suspended or closed, the report says what is known here.
    pub async fn report(&self) -> Report {
        // What it does not answer is not in the report.
        let _ = self.ask(|reply| Command::LookAtServer { reply }).await;
        match self.ask(|reply| Command::Report { reply }).await {
            Ok(report) => report,
            Err(_) => Report::of_closed(&self.shared.jid),
        }
    }
}
