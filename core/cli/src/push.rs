//! `eft push`: pushes, as far as a terminal has to do with them.

use std::time::Duration;

use eft::{Account, Eft, PushHealth, PushTarget};

use crate::Failure;
use crate::args::Push;
use crate::output::Output;

/// How long the server may take to agree.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it is looked whether it has.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(crate) async fn run(eft: &Eft, asked: &Push, output: Output) -> Result<(), Failure> {
    let account = eft.account(&asked.me).await?;
    let result = carry_out(&account, asked, output).await;
    // The server pushes for whoever left the stream open.
    account.suspend().await?;
    account.shut_down().await;
    result
}

async fn carry_out(account: &Account, asked: &Push, output: Output) -> Result<(), Failure> {
    if asked.register.is_some() || asked.unregister || asked.test {
        account.connect(asked.reach.options()?).await?;
    }
    if let Some(service) = &asked.register {
        let options: Result<_, Failure> = asked.option.iter().map(|text| option(text)).collect();
        let target = PushTarget {
            service: service.clone(),
            node: asked.node.clone(),
            options: options?,
        };
        account.register_push(target).await?;
        wait_for_answer(account).await?;
    }
    if asked.unregister {
        account.unregister_push().await?;
    }
    if asked.test {
        let within = Duration::from_secs(asked.within);
        output.push_test(&account.test_push(within).await?)?;
    }
    Ok(output.push_health(account.push_health().await?.as_ref())?)
}

fn option(text: &str) -> Result<(String, String), Failure> {
    let (name, value) = text.split_once('=').ok_or("--option needs NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

async fn wait_for_answer(account: &Account) -> Result<(), Failure> {
    let answered = async {
        while matches!(account.push_health().await?, Some(PushHealth::Waiting)) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, answered)
        .await
        .map_err(|_| "the server does not say whether it pushes")?
}
