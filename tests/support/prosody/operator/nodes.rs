//! PEP nodes (XEP-0163) as the operator sees and bends them.

use crate::prosody::config::quote;
use crate::prosody::{Prosody, ProsodyError};

impl Prosody {
    /// Makes `user`'s PEP node `node` with an access model (`open`, `presence`, `whitelist`), as an earlier client
    /// may have left it.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when the node exists, or the access model does not.
    pub async fn create_node_as_operator(
        &self,
        user: &str,
        node: &str,
        access_model: &str,
    ) -> Result<(), ProsodyError> {
        self.run_lua(&format!(
            "assert({pep}:create({node}, true, {{ access_model = {access_model} }}))",
            pep = self.pep_of(user),
            node = quote(node),
            access_model = quote(access_model),
        ))
        .await
    }

    /// Deletes `user`'s PEP node `node` with all that is in it. Subscribers are told.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when there is no such node.
    pub async fn delete_node_as_operator(
        &self,
        user: &str,
        node: &str,
    ) -> Result<(), ProsodyError> {
        self.run_lua(&format!(
            "assert({pep}:delete({node}, true))",
            pep = self.pep_of(user),
            node = quote(node),
        ))
        .await
    }

    /// One value of the configuration of `user`'s PEP node `node`: `access_model`, `max_items`.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when there is no such node.
    pub async fn node_setting(
        &self,
        user: &str,
        node: &str,
        name: &str,
    ) -> Result<String, ProsodyError> {
        let values = self
            .read_with_lua(&format!(
                "local ok, config = {pep}:get_node_config({node}, true); assert(ok, config); \
                 out:write(tostring(config[{name}]), '\\0')",
                pep = self.pep_of(user),
                node = quote(node),
                name = quote(name),
            ))
            .await?;
        values
            .into_iter()
            .next()
            .ok_or_else(|| ProsodyError::Operator {
                output: format!("no {name} of {node}"),
            })
    }

    /// Refuses every publication (XEP-0060 §7.1.5) that asks for one of these values of `pubsub#max_items`, as
    /// servers do that do not know `max` or bound the number. The word `none` stands for a publication that asks
    /// for no number.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when the shell refuses.
    pub async fn refuse_max_items(&self, refused: &[&str]) -> Result<(), ProsodyError> {
        let refused: Vec<String> = refused
            .iter()
            .map(|value| format!("[{}] = true", quote(value)))
            .collect();
        self.run_lua(&format!(
            "local st, refused = require'prosody.util.stanza', {{ {refused} }}; \
             prosody.eft_publications = {{}}; \
             prosody.hosts[{host}].events.add_handler('iq/bare/http://jabber.org/protocol/pubsub:pubsub', function (event) \
             local publish = event.stanza.tags[1]:get_child('publish'); if not publish then return end; \
             local options, asked = event.stanza.tags[1]:find('publish-options/{{jabber:x:data}}x'), 'none'; \
             for field in (options and options:childtags('field') or function () end) do \
             if field.attr.var == 'pubsub#max_items' then asked = field:get_child_text('value') end end; \
             table.insert(prosody.eft_publications, publish.attr.node .. ' ' .. asked); \
             if refused[asked] then event.origin.send(st.error_reply(event.stanza, 'modify', 'not-acceptable')); return true end \
             end, 100)",
            refused = refused.join(", "),
            host = quote(self.host()),
        ))
        .await
    }

    /// Every publication since [`Self::refuse_max_items`]: the node, a space, and the number of items asked for.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when nothing is refused.
    pub async fn publications(&self) -> Result<Vec<String>, ProsodyError> {
        self.read_with_lua(
            "for _, line in ipairs(prosody.eft_publications) do out:write(line, '\\0') end",
        )
        .await
    }

    /// Refuses every subscription to a node (XEP-0060 §6.1), as services do that know presence only.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when the shell refuses.
    pub async fn refuse_subscriptions(&self) -> Result<(), ProsodyError> {
        self.run_lua(&format!(
            "local st = require'prosody.util.stanza'; \
             prosody.hosts[{host}].events.add_handler('iq/bare/http://jabber.org/protocol/pubsub:pubsub', function (event) \
             if not event.stanza.tags[1]:get_child('subscribe') then return end; \
             event.origin.send(st.error_reply(event.stanza, 'cancel', 'feature-not-implemented')); return true \
             end, 100)",
            host = quote(self.host()),
        ))
        .await
    }

    fn pep_of(&self, user: &str) -> String {
        format!(
            "prosody.hosts[{}].modules.pep.get_pep_service({})",
            quote(self.host()),
            quote(user)
        )
    }
}
