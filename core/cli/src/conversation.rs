//! `eft conversation`: what is decided about a conversation as a whole.

use eft::Eft;

use crate::Failure;
use crate::args::Conversation;
use crate::output::Output;

/// Carries out what was asked for, then prints how things stand. Does not connect.
pub(crate) async fn run(eft: &Eft, asked: Conversation, output: Output) -> Result<(), Failure> {
    let account = eft.account(&asked.me).await?;
    let result = carry_out(&account.conversation(asked.peer.clone()), &asked, output).await;
    account.shut_down().await;
    result
}

async fn carry_out(
    conversation: &eft::Conversation,
    asked: &Conversation,
    output: Output,
) -> Result<(), Failure> {
    if asked.keep_encrypted {
        conversation.keep_encrypted().await?;
    }
    let opt_out = conversation.opt_out().await?;
    Ok(output.conversation(&asked.peer, opt_out.as_ref())?)
}
