//! `eft wake`: what a phone does when a push comes.

use std::time::Duration;

use eft::{Account, Eft};

use crate::Failure;
use crate::args::Wake;
use crate::output::Output;

/// Prints what came, and hangs up so that the server keeps the session and pushes again.
pub(crate) async fn run(eft: Eft, asked: Wake, output: Output) -> Result<(), Failure> {
    let options = asked.reach.options()?;
    let account = eft.for_extension().account(&asked.me).await?;
    let within = Duration::from_secs(asked.within);
    let result = match account.handle_push(options, within).await {
        Ok(outcome) => {
            output.woken(&outcome)?;
            let ids: Vec<_> = outcome
                .notifications
                .iter()
                .map(|message| message.id)
                .collect();
            seen(&account, &ids, asked.unseen).await
        }
        Err(error) => Err(error.into()),
    };
    account.suspend().await?;
    account.shut_down().await;
    result
}

async fn seen(account: &Account, ids: &[eft::MessageId], unseen: bool) -> Result<(), Failure> {
    if !unseen && !ids.is_empty() {
        account.announced(ids).await?;
    }
    Ok(())
}
