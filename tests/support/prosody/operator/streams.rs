//! What the server knows of its users' streams (XEP-0198).

use crate::prosody::config::quote;
use crate::prosody::{Prosody, ProsodyError};

impl Prosody {
    /// The stanzas that the server has sent to `user` and that no `<a/>` of the client has covered, over all its
    /// sessions, broken ones that could still be resumed among them: one XML element each.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when the shell refuses.
    pub async fn unacknowledged_stanzas(&self, user: &str) -> Result<Vec<String>, ProsodyError> {
        self.read_with_lua(&format!(
            "local user = prosody.hosts[{host}].sessions[{user}]; \
             for _, session in pairs(user and user.sessions or {{}}) do \
             local queue = session.outgoing_stanza_queue; \
             if queue then for _, stanza in queue:resume() do out:write(tostring(stanza), '\\0') end end end",
            host = quote(self.host()),
            user = quote(user),
        ))
        .await
    }
}
