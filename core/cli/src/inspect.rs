//! Commands that read what is on disk. Only older history is asked for over a connection.

use eft::{BareJid, Conversation, Eft, TIMELINE_PAGE_MAX};

use crate::Failure;
use crate::args::{History, Search};
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
pub(crate) async fn history(eft: &Eft, asked: &History, output: Output) -> Result<(), Failure> {
    let account = eft.account(&asked.me).await?;
    let conversation = account.conversation(asked.peer.clone());
    if let Some(count) = asked.older {
        account.connect(asked.reach.options()?).await?;
        let loaded = load_older(&conversation, count).await;
        account.disconnect().await;
        loaded?;
    }
    let mut lines = Vec::new();
    let mut before = None;
    let mut wanted = asked.count;
    while wanted > 0 {
        let page_count = wanted.min(TIMELINE_PAGE_MAX);
        let page = conversation.timeline(before, page_count).await?;
        let mut gaps = page.gaps.iter().map(|gap| gap.index).peekable();
        for (index, message) in page.messages.into_iter().enumerate() {
            if gaps.next_if_eq(&index).is_some() {
                lines.push(None);
            }
            lines.push(Some(message));
        }
        lines.extend(gaps.map(|_| None));
        wanted -= page_count;
        match page.older {
            Some(older) => before = Some(older),
            None => break,
        }
    }
    account.shut_down().await;
    for line in lines.iter().rev() {
        match line {
            Some(message) => output.message("message", message)?,
            None => output.gap()?,
        }
    }
    Ok(())
}

/// Until there are so many, or nothing is left.
async fn load_older(conversation: &Conversation, count: u32) -> Result<(), Failure> {
    let mut wanted = count;
    while wanted > 0 {
        let loaded = conversation.load_older(wanted).await?;
        if loaded.at_beginning {
            break;
        }
        // A page of what is no message counts, too: it must end.
        wanted = wanted.saturating_sub(loaded.count.max(1));
    }
    Ok(())
}
