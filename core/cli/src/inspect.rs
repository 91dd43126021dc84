//! Commands that read what is on disk and do not connect.

use eft::{BareJid, Eft};

use crate::Failure;
use crate::output::Output;

/// `eft devices`
pub(crate) async fn devices(
    eft: &Eft,
    me: &BareJid,
    of: Option<&BareJid>,
    output: &Output,
) -> Result<(), Failure> {
    let account = eft.account(me).await?;
    for device in account.devices(of.unwrap_or(me)).await? {
        output.device("device", &device);
    }
    Ok(())
}

/// `eft fingerprint`
pub(crate) async fn fingerprint(eft: &Eft, me: &BareJid, output: &Output) -> Result<(), Failure> {
    let account = eft.account(me).await?;
    output.fingerprint(
        account.jid(),
        account.device_id().as_u32(),
        &account.fingerprint().to_string(),
    );
    Ok(())
}

/// `eft history`
pub(crate) async fn history(
    eft: &Eft,
    me: &BareJid,
    peer: &BareJid,
    count: u32,
    output: &Output,
) -> Result<(), Failure> {
    let account = eft.account(me).await?;
    let mut messages = account
        .conversation(peer.clone())
        .timeline(None, count)
        .await?
        .messages;
    messages.reverse();
    for message in &messages {
        output.message("message", message);
    }
    Ok(())
}
