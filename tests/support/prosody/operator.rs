//! What only the one who runs the server can do, and a hostile one does: act in the name of its users.

use super::config::quote;
use super::{Prosody, ProsodyError};

/// What a shell command prints when it worked; the last line of its output.
const DONE: &str = "eft: done";

impl Prosody {
    /// Publishes `payload` (one XML element) as item `item_id` of `user`'s PEP node `node`, without the user.
    ///
    /// Subscribers are told as if the user had done it: a device that its owner never had, for example. A node
    /// that does not exist is created with the server's defaults, so for a contact who is to see it, publish to
    /// a node that the user's client made.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] with what the shell said: no such user, no XML, no such node.
    pub async fn publish_as_operator(
        &self,
        user: &str,
        node: &str,
        item_id: &str,
        payload: &str,
    ) -> Result<(), ProsodyError> {
        let item = format!(
            "<item xmlns='http://jabber.org/protocol/pubsub' id='{item_id}'>{payload}</item>"
        );
        self.run_lua(&format!(
            "assert(prosody.hosts[{host}].modules.pep.get_pep_service({user}):publish({node}, true, {id}, assert(require'prosody.util.xml'.parse({item}))))",
            host = quote(self.host()),
            user = quote(user),
            node = quote(node),
            id = quote(item_id),
            item = quote(&item),
        ))
        .await
    }

    /// Delivers `stanza` (one XML element with `to`) to a local user as if it had come from anywhere: its `from`
    /// is what the text says.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when the text is no XML.
    pub async fn inject(&self, stanza: &str) -> Result<(), ProsodyError> {
        self.run_lua(&format!(
            "prosody.core_post_stanza(prosody.hosts[{host}], assert(require'prosody.util.xml'.parse({stanza})))",
            host = quote(self.host()),
            stanza = quote(stanza),
        ))
        .await
    }

    /// Ends every session of `user` with a stream error, without a chance to resume it.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when the shell refuses.
    pub async fn close_sessions(&self, user: &str) -> Result<(), ProsodyError> {
        self.run_lua(&format!(
            "local user = prosody.hosts[{host}].sessions[{user}]; for _, session in pairs(user and user.sessions or {{}}) do session:close('reset') end",
            host = quote(self.host()),
            user = quote(user),
        ))
        .await
    }

    /// Runs Lua statements inside the server.
    async fn run_lua(&self, statements: &str) -> Result<(), ProsodyError> {
        // The exit code of the tool is 0 whatever happened: what counts is that the last statement was reached.
        let line = format!("> {statements}; return {}", quote(DONE));
        let output = self.prosodyctl(&["shell", &line]).await?;
        if output.text.lines().any(|line| line.contains(DONE)) {
            Ok(())
        } else {
            Err(ProsodyError::Operator {
                output: output.text,
            })
        }
    }
}
