//! `eft password` and `eft rebuild`: remedies for an account that does not log in, or does not open.

use eft::{BareJid, Credentials, Eft};

use crate::output::Output;
use crate::{Failure, password};

/// `eft password`
pub(crate) async fn set_password(eft: &Eft, me: &BareJid, output: Output) -> Result<(), Failure> {
    let account = eft.account(me).await?;
    let result = match password::ask(me) {
        Ok(password) => account.set_password(password).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    account.shut_down().await;
    result?;
    Ok(output.password_set(me)?)
}

/// `eft rebuild`
pub(crate) async fn rebuild(eft: &Eft, me: BareJid, output: Output) -> Result<(), Failure> {
    let credentials = Credentials {
        password: password::ask(&me)?,
        jid: me,
    };
    let rebuilt = eft.rebuild_account(credentials).await?;
    rebuilt.account.shut_down().await;
    Ok(output.rebuilt(&rebuilt)?)
}
