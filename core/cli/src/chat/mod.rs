//! `eft chat`: lines in, messages out.

mod input;
mod stop;
mod talk;

use eft::{Account, ConnectOptions, Credentials, Eft};

use crate::args::Chat;
use crate::output::Output;
use crate::{Failure, password};

use talk::Talk;

/// Runs until standard input has ended and everything is said (or, with `--follow`, until interrupted).
pub(crate) async fn run(eft: &Eft, chat: Chat, output: Output) -> Result<(), Failure> {
    let options = chat.reach.options()?;
    let account = open(eft, &chat).await?;
    let result = talk(&account, &chat, options, output).await;
    account.shut_down().await;
    result
}

async fn talk(
    account: &Account,
    chat: &Chat,
    options: ConnectOptions,
    output: Output,
) -> Result<(), Failure> {
    if chat.accept_downgrade {
        account.accept_downgrade().await?;
    }
    Talk::begin(account, chat, output).await?.run(options).await
}

/// The account's database, made if this is its first chat here.
async fn open(eft: &Eft, chat: &Chat) -> Result<Account, Failure> {
    if eft.accounts()?.contains(&chat.me) {
        return Ok(eft.account(&chat.me).await?);
    }
    let credentials = Credentials {
        jid: chat.me.clone(),
        password: password::ask(&chat.me)?,
    };
    Ok(eft.add_account(credentials).await?)
}
