//! Commands that read what is on disk and do not connect.

use eft::{BareJid, Eft, TIMELINE_PAGE_MAX};

use crate::Failure;
use crate::args::Search;
use crate::output::Output;

/// `eft devices`
pub(crate) async fn devices(
    eft: &Eft,
    me: &BareJid,
    of: Option<&BareJid>,
    output: Output,
) -> Result<(), Failure> {
    let account = eft.account(me).await?;
    let devices = account.devices(of.unwrap_or(me)).await?;
    account.shut_down().await;
    for device in devices {
        output.device("device", &device)?;
    }
    Ok(())
}

/// `eft fingerprint`
pub(crate) async fn fingerprint(eft: &Eft, me: &BareJid, output: Output) -> Result<(), Failure> {
    let account = eft.account(me).await?;
    let device = account.device_id().as_u32();
    let fingerprint = account.fingerprint().to_string();
    account.shut_down().await;
    Ok(output.fingerprint(me, device, &fingerprint)?)
}

/// `eft conversations`
pub(crate) async fn conversations(eft: &Eft, me: &BareJid, output: Output) -> Result<(), Failure> {
    let account = eft.account(me).await?;
    let list = account.conversations().await?;
    account.shut_down().await;
    for summary in &list {
        output.summary(summary)?;
    }
    Ok(())
}

/// `eft search`
pub(crate) async fn search(eft: &Eft, asked: &Search, output: Output) -> Result<(), Failure> {
    let account = eft.account(&asked.me).await?;
    let typed = asked.words.join(" ");
    let found = account
        .search(&typed, asked.with.as_ref(), None, asked.count)
        .await?;
    account.shut_down().await;
    for message in &found {
        output.message("message", message)?;
    }
    Ok(())
}

/// `eft history`
pub(crate) async fn history(
    eft: &Eft,
    me: &BareJid,
    peer: &BareJid,
    count: u32,
    output: Output,
) -> Result<(), Failure> {
    let account = eft.account(me).await?;
    let conversation = account.conversation(peer.clone());
    let mut messages = Vec::new();
    let mut before = None;
    let mut wanted = count;
    while wanted > 0 {
        let page_count = wanted.min(TIMELINE_PAGE_MAX);
        let page = conversation.timeline(before, page_count).await?;
        messages.extend(page.messages);
        wanted -= page_count;
        match page.older {
            Some(older) => before = Some(older),
            None => break,
        }
    }
    account.shut_down().await;
    for message in messages.iter().rev() {
        output.message("message", message)?;
    }
    Ok(())
}
