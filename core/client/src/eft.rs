//! The data folder and the accounts in it.

use core::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use eft_omemo::IdentitySecret;
use eft_store::{SecretStore, Store, StoreOptions};
use eft_types::{BareJid, DeviceAddress};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::account::{Account, Shared};
use crate::address;
use crate::clock;
use crate::config::{Config, Credentials};
use crate::credential::Login;
use crate::error::Error;
use crate::event::{ConnectionState, EVENT_BUFFER, Standing};
use crate::folder::{self, AccountFolder};
use crate::identity::{self, Identity};
use crate::keys::Keys;
use crate::pump::Pump;
use crate::reader::Reader;
use crate::rebuilt::RebuiltAccount;
use crate::transfer::{self, Passphrase};

/// The engine: a data folder, and the secret store that holds the keys of its databases.
pub struct Eft {
    data_dir: PathBuf,
    secrets: Arc<dyn SecretStore>,
    options: StoreOptions,
}

impl fmt::Debug for Eft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Eft")
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}

impl Eft {
    /// Opens the data folder, making it if it is absent. Opens no database yet.
    ///
    /// # Errors
    /// [`Error::StoreDamaged`] if the folder cannot be made.
    pub fn open(config: Config, secrets: Arc<dyn SecretStore>) -> Result<Self, Error> {
        folder::make_private_dir(&config.data_dir).map_err(|error| Error::StoreDamaged {
            reason: format!("{}: {error}", config.data_dir.display()),
            cause: None,
        })?;
        Ok(Self {
            data_dir: config.data_dir,
            secrets,
            options: StoreOptions::app(),
        })
    }

    /// For a notification extension, or whatever else has little memory and little time: small caches, and no long waits
    /// for another process.
    #[must_use]
    pub fn for_extension(self) -> Self {
        Self {
            options: StoreOptions::extension(),
            ..self
        }
    }

    /// The accounts that have a database in this folder.
    ///
    /// # Errors
    /// [`Error::StoreDamaged`] if the folder cannot be read.
    pub fn accounts(&self) -> Result<Vec<BareJid>, Error> {
        folder::accounts(&self.data_dir)
    }

    /// Makes a database for an account, with a new device id and new keys, and remembers its
    /// credentials there. Does not connect: whether the credentials are good is told by
    /// [`Account::connect`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the account has a database here already, [`Error::KeyUnavailable`]
    /// if the secret store takes no key.
    pub async fn add_account(&self, credentials: Credentials) -> Result<Account, Error> {
        self.install(credentials, |_| Ok(None)).await
    }

    /// As [`Eft::add_account`], with the history out of a file of [`Account::export`]. The account gets a new device id, and
    /// the identity key of the file if there is one in it: the device that it was on must not be used any more. What is
    /// damaged is refused whole, and leaves an account that can be imported or added again.
    ///
    /// # Errors
    /// Those of [`Eft::add_account`]; [`Error::InvalidInput`] for a wrong passphrase, for a file that is damaged, not complete,
    /// of a newer version, or another account's.
    pub async fn import_account(
        &self,
        credentials: Credentials,
        path: &Path,
        passphrase: &str,
    ) -> Result<Account, Error> {
        let (path, passphrase) = (path.to_owned(), Passphrase::from(passphrase.to_owned()));
        self.install(credentials, move |store| {
            Ok(transfer::import(store, &path, &passphrase)?.identity)
        })
        .await
    }

    /// Makes a database, lets `fill` add to it, and installs a device on it, with the identity that comes out of `fill`.
    async fn install(
        &self,
        credentials: Credentials,
        fill: impl FnOnce(&Store) -> Result<Option<IdentitySecret>, Error> + Send + 'static,
    ) -> Result<Account, Error> {
        address::check(&credentials.jid)?;
        let folder = AccountFolder::of(&self.data_dir, &credentials.jid);
        let (secrets, options) = (Arc::clone(&self.secrets), self.options.clone());
        on_thread(move || {
            let (store, keys) = if folder.exists() {
                // Perhaps only half of one: the process that made it may have died.
                let (store, keys) = open(&folder, secrets, &options)?;
                if identity::is_installed(&store)? {
                    return Err(Error::invalid(format!(
                        "{} has a database here already",
                        credentials.jid
                    )));
                }
                (store, keys)
            } else {
                let name = folder.create(clock::random_bytes()?)?;
                let store = Store::create_with_secret(
                    &folder.database(),
                    &*secrets,
                    &name,
                    &credentials.jid,
                    &options,
                )?;
                (store, Keys { secrets, name })
            };
            let identity = fill(&store)?;
            let login = Login::new(&credentials, clock::random_bytes()?);
            start_new(store, keys, &credentials.jid, &login, identity.as_ref())
        })
        .await
    }

    /// Puts a new database in the place of an account's that is damaged, or whose key is lost, and saves what can be read:
    /// messages, conversations with their encryption, the archive's place, decisions about keys. Never done by itself:
    /// [`Eft::account`] says what is wrong and leaves everything as it is, and a key may come back
    /// ([`Error::KeyUnavailable`] says whether it is lost). The account is a new device then, with a new id and new keys:
    /// contacts see one more. What waited to be sent goes out from the new device. Not to be called while another process uses
    /// the account. Interrupted, it has had no effect, or the account opens as rebuilt, or it is to be called again.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the account has no database here, or one of another account; [`Error::StoreLocked`] while another
    /// process uses it; [`Error::KeyUnavailable`] if the key may come back; [`Error::StoreDamaged`] if a newer version wrote it, or
    /// the folder cannot be written. All leave the old database where it is.
    pub async fn rebuild_account(&self, credentials: Credentials) -> Result<RebuiltAccount, Error> {
        let folder = self.existing(&credentials.jid)?;
        let (secrets, options) = (Arc::clone(&self.secrets), self.options.clone());
        on_thread(move || {
            let name = folder.key_name_or_new(clock::random_bytes()?)?;
            let path = folder.database();
            let jid = &credentials.jid;
            let rebuilt = Store::rebuild(&path, &*secrets, &name, jid, &options)?;
            let login = Login::new(&credentials, clock::random_bytes()?);
            // What the server once showed of itself holds on, if it can be read.
            let login = match rebuilt.store.account()?.credential {
                Some(kept) => Login::decode(Some(&kept), clock::random_bytes()?)
                    .map_or(login, |kept| {
                        kept.with_password(credentials.password.clone())
                    }),
                None => login,
            };
            let keys = Keys { secrets, name };
            Ok(RebuiltAccount {
                account: start_new(rebuilt.store, keys, jid, &login, None)?,
                message_count: rebuilt.messages,
                gap_count: rebuilt.gaps,
                set_aside: rebuilt.set_aside,
            })
        })
        .await
    }

    /// Opens the database of an account.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if it has none here, [`Error::KeyUnavailable`],
    /// [`Error::StoreDamaged`], [`Error::StoreLocked`].
    pub async fn account(&self, jid: &BareJid) -> Result<Account, Error> {
        let folder = self.existing(jid)?;
        let (secrets, options) = (Arc::clone(&self.secrets), self.options.clone());
        on_thread(move || {
            let (store, keys) = open(&folder, secrets, &options)?;
            start(store, keys)
        })
        .await
    }

    fn existing(&self, jid: &BareJid) -> Result<AccountFolder, Error> {
        let folder = AccountFolder::of(&self.data_dir, jid);
        match folder.exists() {
            true => Ok(folder),
            false => Err(Error::invalid(format!("{jid} has no database here"))),
        }
    }
}

/// Opens the database in a folder.
fn open(
    folder: &AccountFolder,
    secrets: Arc<dyn SecretStore>,
    options: &StoreOptions,
) -> Result<(Store, Keys), Error> {
    let name = folder.key_name()?;
    let store = Store::open_with_secret(&folder.database(), &*secrets, &name, options)?;
    Ok((store, Keys { secrets, name }))
}

/// Installs a device on a database that has none, and starts the account's threads.
fn start_new(
    store: Store,
    keys: Keys,
    jid: &BareJid,
    login: &Login,
    identity: Option<&IdentitySecret>,
) -> Result<Account, Error> {
    identity::install_new(&store, jid, identity, login.encode())?;
    start(store, keys)
}

/// Starts the account's threads on an open database.
fn start(store: Store, keys: Keys) -> Result<Account, Error> {
    let jid = store.account()?.jid;
    let Identity {
        device_id,
        fingerprint,
    } = identity::load(&store)?;
    let store = Arc::new(store);
    let (commands, queue) = mpsc::unbounded_channel();
    let (events, _) = broadcast::channel(EVENT_BUFFER);
    let (reader, reader_thread) = Reader::start(Arc::clone(&store))?;
    let told = events.downgrade();
    let own = DeviceAddress::new(jid.clone(), device_id);
    let (tell_standing, standing) = watch::channel(Standing {
        connection: ConnectionState::Disconnected,
        is_filling: false,
    });
    let pump = Pump::new(
        own,
        store,
        keys,
        reader_thread,
        queue,
        events,
        tell_standing,
    )?;
    pump.start()?;
    Ok(Account::new(Shared {
        jid,
        device_id,
        fingerprint,
        commands,
        events: told,
        standing,
        reader,
    }))
}

/// Runs something that blocks on a thread of its own, so that the caller's executor does not.
async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (reply, answer) = oneshot::channel();
    thread::Builder::new()
        .name("eft-open".to_owned())
        .spawn(move || {
            let _ = reply.send(work());
        })
        .map_err(|error| Error::bug(format!("no thread: {error}")))?;
    answer
        .await
        .map_err(|_| Error::bug("opening a database panicked"))?
}
