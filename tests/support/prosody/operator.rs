//! What only the one who runs the server can do, and a hostile one does: act in the name of its users, and read
//! what passes through.

mod nodes;
mod streams;

use std::fs;

use eft_types::{BareJid, Timestamp};

use super::config::{quote, quote_path};
use super::{Prosody, ProsodyError};

/// What a shell command prints when it worked; the last line of its output.
const DONE: &str = "eft: done";

/// A stanza as the server keeps it.
#[derive(Clone, Debug)]
pub struct ArchivedStanza {
    /// When it passed.
    pub at: Timestamp,
    /// One XML element.
    pub xml: String,
}

impl Prosody {
    /// Publishes `payload` (one XML element) as item `item_id` of `user`'s PEP node `node`, without the user.
    ///
    /// Subscribers are told as if the user had done it: a device that its owner never had, for example. A node
    /// that does not exist is made so that everybody may read it, as OMEMO clients make theirs.
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
            "assert(prosody.hosts[{host}].modules.pep.get_pep_service({user}):publish({node}, true, {id}, assert(require'prosody.util.xml'.parse({item})), {{ _defaults_only = true, access_model = 'open' }}))",
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

    /// Makes two local users contacts of each other (RFC 6121 §3), as if both had asked and accepted. Who is online
    /// notices at the next login.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when a roster cannot be written.
    pub async fn befriend(&self, one: &str, other: &str) -> Result<(), ProsodyError> {
        self.run_lua(&format!(
            "local rosters = require'prosody.core.rostermanager'; \
             for user, contact in pairs({{ [{one}] = {other}, [{other}] = {one} }}) do \
             local roster, jid = rosters.load_roster(user, {host}), contact .. '@' .. {host}; \
             roster[jid] = {{ subscription = 'both', groups = {{}} }}; \
             assert(rosters.save_roster(user, {host}, roster, jid)) end",
            host = quote(self.host()),
            one = quote(one),
            other = quote(other),
        ))
        .await
    }

    /// The stanzas in `user`'s archive (XEP-0313) that went to or came from `with`, in order.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when the server has no archive.
    pub async fn archived_stanzas(
        &self,
        user: &str,
        with: &BareJid,
    ) -> Result<Vec<ArchivedStanza>, ProsodyError> {
        let texts = self
            .read_with_lua(&format!(
            "for _, stanza, at in assert(require'prosody.core.storagemanager'.open({host}, 'archive', 'archive'):find({user}, {{ with = {with} }})) do \
             stanza.attr.xmlns = 'jabber:client'; \
             out:write(string.format('%d', math.floor(at * 1000)), '\\0', tostring(stanza), '\\0') end",
            host = quote(self.host()),
            user = quote(user),
            with = quote(with.as_str()),
        ))
        .await?;
        let mut texts = texts.into_iter();
        let mut stanzas = Vec::new();
        while let (Some(at), Some(xml)) = (texts.next(), texts.next()) {
            let at = at.parse().map_err(|_| ProsodyError::Operator {
                output: format!("no time: {at}"),
            })?;
            stanzas.push(ArchivedStanza {
                at: Timestamp::from_millis(at),
                xml,
            });
        }
        Ok(stanzas)
    }

    /// The payload of item `item_id` of `user`'s PEP node `node`: one XML element.
    ///
    /// # Errors
    ///
    /// [`ProsodyError::Operator`] when there is no such item.
    pub async fn published_item(
        &self,
        user: &str,
        node: &str,
        item_id: &str,
    ) -> Result<String, ProsodyError> {
        let found = self
            .read_with_lua(&format!(
                "local _, items = assert(prosody.hosts[{host}].modules.pep.get_pep_service({user}):get_items({node}, true, {{ {id} }})); \
                 out:write(tostring(assert(items[{id}]).tags[1]), '\\0')",
                host = quote(self.host()),
                user = quote(user),
                node = quote(node),
                id = quote(item_id),
            ))
            .await?;
        found
            .into_iter()
            .next()
            .ok_or_else(|| ProsodyError::Operator {
                output: format!("nothing in {node}"),
            })
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

    /// Runs Lua statements that write texts to the file `out`, each with a zero byte behind it.
    async fn read_with_lua(&self, statements: &str) -> Result<Vec<String>, ProsodyError> {
        let path = self.folder().join("operator.txt");
        self.run_lua(&format!(
            "local out = assert(io.open({path}, 'w')); {statements}; assert(out:close())",
            path = quote_path(&path),
        ))
        .await?;
        let read = fs::read_to_string(&path).and_then(|text| {
            fs::remove_file(&path)?;
            Ok(text)
        });
        let text = read.map_err(ProsodyError::folder(&path))?;
        Ok(text.split_terminator('\0').map(str::to_owned).collect())
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
