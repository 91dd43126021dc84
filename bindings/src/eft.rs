//! Opening the data folder.

use std::sync::Arc;

use crate::account::Account;
use crate::error::{EftError, bare_jid};
use crate::rebuilt::RebuiltAccount;
use crate::secret_store::{HostSecretStore, SecretStore};

/// The data folder with its accounts.
#[derive(Debug, uniffi::Object)]
pub struct Eft {
    inner: ::eft::Eft,
}

#[uniffi::export]
impl Eft {
    /// Opens (or makes) the folder. `secrets` is the platform's keychain.
    ///
    /// # Errors
    /// `StoreDamaged` if the folder cannot be made or read.
    #[uniffi::constructor]
    pub fn open(data_dir: String, secrets: Arc<dyn SecretStore>) -> Result<Arc<Self>, EftError> {
        let inner = open(data_dir, secrets)?;
        Ok(Arc::new(Self { inner }))
    }

    /// As `open`, for a notification extension, or whatever else has little memory and little time: small caches, and no
    /// long waits for another process.
    ///
    /// # Errors
    /// As for `open`.
    #[uniffi::constructor]
    pub fn open_for_extension(
        data_dir: String,
        secrets: Arc<dyn SecretStore>,
    ) -> Result<Arc<Self>, EftError> {
        let inner = open(data_dir, secrets)?.for_extension();
        Ok(Arc::new(Self { inner }))
    }

    /// Addresses of the accounts in this folder.
    ///
    /// # Errors
    /// `StoreDamaged` if the folder cannot be read.
    pub fn accounts(&self) -> Result<Vec<String>, EftError> {
        Ok(self
            .inner
            .accounts()?
            .into_iter()
            .map(|jid| jid.to_string())
            .collect())
    }

    /// Makes a database, a device and its keys for an account. Does not connect.
    ///
    /// # Errors
    /// `InvalidInput` for what is no address or an account that is here already, `KeyUnavailable`.
    pub async fn add_account(
        &self,
        jid: String,
        password: String,
    ) -> Result<Arc<Account>, EftError> {
        let account = self.inner.add_account(credentials(&jid, password)?).await?;
        Ok(Arc::new(Account { inner: account }))
    }

    /// As `add_account`, with the history out of a file of `Account.export`. The account gets a new device id, and the
    /// identity key of the file if there is one in it: the device that it was on must not be used any more. What is damaged
    /// is refused whole, and leaves an account that can be imported or added again.
    ///
    /// # Errors
    /// Those of `add_account`; `InvalidInput` for a wrong passphrase, for a file that is damaged, not complete, of a newer
    /// version, or another account's.
    pub async fn import_account(
        &self,
        jid: String,
        password: String,
        path: String,
        passphrase: String,
    ) -> Result<Arc<Account>, EftError> {
        let credentials = credentials(&jid, password)?;
        let account = self
            .inner
            .import_account(credentials, path.as_ref(), &passphrase)
            .await?;
        Ok(Arc::new(Account { inner: account }))
    }

    /// Puts a new database in the place of an account's that is damaged, or whose key is lost, and saves what can be read:
    /// messages, conversations with their encryption, the archive's place, decisions about keys. Never done by itself:
    /// `account` says what is wrong and leaves everything as it is. The account is a new device then, with a new id and new
    /// keys: contacts see one more. What waited to be sent goes out from the new device. Interrupted, it has had no effect, or
    /// the account opens as rebuilt, or it is to be called again.
    ///
    /// # Errors
    /// `InvalidInput` if the account has no database here, or one of another account; `StoreLocked` while another process uses it;
    /// `KeyUnavailable` if the key may come back; `StoreDamaged` if a newer version wrote it, or the folder cannot be
    /// written. All leave the old database where it is.
    pub async fn rebuild_account(
        &self,
        jid: String,
        password: String,
    ) -> Result<RebuiltAccount, EftError> {
        let credentials = credentials(&jid, password)?;
        Ok(self.inner.rebuild_account(credentials).await?.into())
    }

    /// Opens an account of this folder.
    ///
    /// # Errors
    /// `InvalidInput` for an account that is not here, `KeyUnavailable`, `StoreLocked`,
    /// `StoreDamaged`.
    pub async fn account(&self, jid: String) -> Result<Arc<Account>, EftError> {
        let account = self.inner.account(&bare_jid(&jid)?).await?;
        Ok(Arc::new(Account { inner: account }))
    }
}

fn open(data_dir: String, secrets: Arc<dyn SecretStore>) -> Result<::eft::Eft, ::eft::Error> {
    let config = ::eft::Config {
        data_dir: data_dir.into(),
    };
    ::eft::Eft::open(config, Arc::new(HostSecretStore(secrets)))
}

fn credentials(jid: &str, password: String) -> Result<::eft::Credentials, EftError> {
    Ok(::eft::Credentials {
        jid: bare_jid(jid)?,
        password: password.into(),
    })
}
