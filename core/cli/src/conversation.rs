//! `eft conversation`: what is decided about a conversation as a whole.

use eft::{Account, Delivery, DeviceAddress, DeviceId, Eft, OptOut, TIMELINE_PAGE_MAX};

use crate::Failure;
use crate::args::Conversation;
use crate::output::Output;

/// How things stand with somebody.
pub(crate) struct Standing {
    /// A wish for no more encryption that was not answered.
    pub(crate) opt_out: Option<OptOut>,
    /// Whether each OMEMO version goes in a stanza of its own.
    pub(crate) separate_versions: bool,
    /// Lines that were queued again just now.
    pub(crate) resent_count: usize,
}

/// Carries out what was asked for, then prints how things stand. Does not connect.
pub(crate) async fn run(eft: &Eft, asked: Conversation, output: Output) -> Result<(), Failure> {
    let account = eft.account(&asked.me).await?;
    let result = carry_out(&account, &asked).await;
    account.shut_down().await;
    Ok(output.conversation(&asked.peer, &result?)?)
}

async fn carry_out(account: &Account, asked: &Conversation) -> Result<Standing, Failure> {
    let conversation = account.conversation(asked.peer.clone());
    if asked.keep_encrypted {
        conversation.keep_encrypted().await?;
    }
    if let Some(separate) = asked.separate_versions {
        conversation.set_separate_versions(separate).await?;
    }
    if let Some(device) = asked.accept_legacy {
        let device = DeviceAddress::new(asked.peer.clone(), DeviceId::new(device)?);
        account.accept_legacy(&device).await?;
    }
    if asked.reset_sessions {
        account.reset_sessions(Some(&asked.peer)).await?;
    }
    if asked.mark_read {
        let newest = conversation.timeline(None, 1).await?.messages.pop();
        if let Some(newest) = newest {
            conversation.mark_read(newest.id).await?;
        }
    }
    let resent_count = if asked.resend {
        resend(&conversation).await?
    } else {
        0
    };
    Ok(Standing {
        opt_out: conversation.opt_out().await?,
        separate_versions: conversation.separate_versions().await?,
        resent_count,
    })
}

/// Queues the failed ones among the newest lines again, in their order.
async fn resend(conversation: &eft::Conversation) -> Result<usize, Failure> {
    let page = conversation.timeline(None, TIMELINE_PAGE_MAX).await?;
    let mut count = 0;
    for message in page.messages.iter().rev() {
        if matches!(message.delivery, Some(Delivery::Failed { .. })) {
            conversation.resend(message.id).await?;
            count += 1;
        }
    }
    Ok(count)
}
