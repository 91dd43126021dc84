//! `eft export` and `eft import`: the history in one encrypted file.

use std::path::Path;

use eft::{BareJid, Credentials, Eft, IdentityKey};

use crate::output::Output;
use crate::{Failure, password};

/// `eft export`
pub(crate) async fn export(
    eft: &Eft,
    me: &BareJid,
    file: &Path,
    with_identity: bool,
    output: Output,
) -> Result<(), Failure> {
    let passphrase = password::passphrase(file)?;
    let account = eft.account(me).await?;
    let identity = if with_identity {
        IdentityKey::Moves
    } else {
        IdentityKey::Stays
    };
    let result = account.export(file, &passphrase, identity).await;
    account.shut_down().await;
    Ok(output.exported(result?.message_count)?)
}

/// `eft import`
pub(crate) async fn import(
    eft: &Eft,
    me: BareJid,
    file: &Path,
    output: Output,
) -> Result<(), Failure> {
    let passphrase = password::passphrase(file)?;
    let credentials = Credentials {
        password: password::ask(&me)?,
        jid: me,
    };
    let account = eft.import_account(credentials, file, &passphrase).await?;
    let conversations = account.conversations().await?.len();
    account.shut_down().await;
    Ok(output.imported(conversations)?)
}
