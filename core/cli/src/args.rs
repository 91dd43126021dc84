//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use eft::{BareJid, Jid};

/// Encrypted chat over XMPP in a terminal.
#[derive(Debug, Parser)]
#[command(name = "eft", version)]
pub(crate) struct Cli {
    /// Folder for the encrypted databases.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,

    /// Where the database keys are kept: the desktop's `keyring`, or `file:DIR` for machines
    /// without one (files protect nothing by themselves: keep them apart from the data).
    #[arg(long, default_value = "keyring", value_name = "WHERE")]
    pub(crate) secrets: SecretsAt,

    /// Print one JSON object per line instead of text.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where database keys are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretsAt {
    /// The desktop's keychain.
    Keyring,
    /// Files in a folder that only this user can read.
    File(PathBuf),
}

impl std::str::FromStr for SecretsAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "keyring" => Ok(Self::Keyring),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err("expected `keyring` or `file:DIR`".to_owned()),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Log in, print what arrives from PEER, send each line of standard input to PEER.
    Chat(Chat),
    /// List the devices that are known of an account, and how far each is trusted.
    Devices {
        /// Your account.
        me: BareJid,
        /// Whose devices; your own without it.
        of: Option<BareJid>,
    },
    /// Print the fingerprint of this device.
    Fingerprint {
        /// Your account.
        me: BareJid,
    },
    /// Print the stored conversation with PEER, oldest line first.
    History(History),
    /// List the conversations, the one with the newest message first.
    Conversations {
        /// Your account.
        me: BareJid,
    },
    /// Print the messages in which words occur, the newest first.
    Search(Search),
    /// Do what a phone does when a push comes: log in, catch up, print what is new, hang up so that the session goes on.
    Wake(Wake),
    /// Print what is known of the account and what is wrong with it, without what is nobody's business: for whoever helps.
    Report(Report),
    /// Print how pushes stand, register for them, or see whether one arrives.
    Push(Push),
    /// Write the whole history into a file, encrypted by a passphrase that is asked for or taken from `EFT_PASSPHRASE`.
    Export {
        /// Your account.
        me: BareJid,
        /// The file to be made.
        file: PathBuf,
        /// This device is gone, or will be: its identity goes along, and must not be used here any more.
        #[arg(long)]
        with_identity: bool,
    },
    /// Set up your account on this device with the history out of such a file.
    Import {
        /// Your account.
        me: BareJid,
        /// The file.
        file: PathBuf,
    },
    /// Log in with another password from now on, after it was changed elsewhere: asked for, or taken from `EFT_PASSWORD`.
    Password {
        /// Your account.
        me: BareJid,
    },
    /// Put a new database in the place of one that is damaged, or whose key is lost, with the messages that can be read.
    /// This becomes a new device, which others have to compare anew. The old files are set aside.
    Rebuild {
        /// Your account.
        me: BareJid,
    },
    /// Leave each line of standard input to be sent to PEER by the program that has the account open, or by the next.
    Leave {
        /// Your account.
        me: BareJid,
        /// The other side.
        peer: BareJid,
    },
    /// Print how things stand with PEER, and decide about it.
    Conversation(Conversation),
    /// Say that a fingerprint of PEER's is the right one. Compare it with PEER first: by voice, or in person.
    Trust(Decide),
}

#[derive(Debug, Args)]
pub(crate) struct Chat {
    /// Your account. The password is asked for at the first login, or taken from `EFT_PASSWORD`.
    pub(crate) me: BareJid,
    /// The other side.
    pub(crate) peer: BareJid,
    /// Go on printing what arrives after standard input has ended.
    #[arg(long)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
    /// Log in although the server offers less security than it once did: ask its operator first.
    #[arg(long)]
    pub(crate) accept_downgrade: bool,
}

/// How the server is reached.
#[derive(Debug, Args)]
pub(crate) struct Reach {
    /// Connect to this address instead of asking the DNS.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) server: Option<String>,
    /// With --server: TLS from the first byte instead of STARTTLS.
    #[arg(long, requires = "server")]
    pub(crate) direct_tls: bool,
    /// Trust the certificate authorities in this PEM file, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Allow the PLAIN mechanism, which hands the password to the server.
    #[arg(long)]
    pub(crate) allow_plain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Wake {
    /// Your account.
    pub(crate) me: BareJid,
    #[command(flatten)]
    pub(crate) reach: Reach,
    /// How long it may take.
    #[arg(long, default_value_t = 25, value_name = "SECONDS")]
    pub(crate) within: u64,
    /// Print the same again next time, as if this program had died before anybody saw it.
    #[arg(long)]
    pub(crate) unseen: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Your account.
    pub(crate) me: BareJid,
    /// Connect first, and ask the server what it can do.
    #[arg(long)]
    pub(crate) connect: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

#[derive(Debug, Args)]
pub(crate) struct Push {
    /// Your account.
    pub(crate) me: BareJid,
    /// Ask the server to push to this app server.
    #[arg(long, value_name = "JID", conflicts_with = "unregister")]
    pub(crate) register: Option<Jid>,
    /// With --register: what the app server calls this device.
    #[arg(long, requires = "register")]
    pub(crate) node: Option<String>,
    /// With --register: what the server is to show with each push.
    #[arg(long, requires = "register", value_name = "NAME=VALUE")]
    pub(crate) option: Vec<String>,
    /// Ask the server not to push any more.
    #[arg(long)]
    pub(crate) unregister: bool,
    /// Make the server push, and wait for whoever gets it to call `eft wake`.
    #[arg(long)]
    pub(crate) test: bool,
    /// How long to wait for it.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub(crate) within: u64,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Your account.
    pub(crate) me: BareJid,
    /// The other side.
    pub(crate) peer: BareJid,
    /// How many of the newest messages.
    #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT")]
    pub(crate) count: u32,
    /// Connect first, and load up to COUNT messages that the server has from before all that is stored.
    #[arg(long, value_name = "COUNT")]
    pub(crate) older: Option<u32>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Your account.
    pub(crate) me: BareJid,
    /// What to look for: words, by their beginnings.
    #[arg(required = true, num_args = 1..)]
    pub(crate) words: Vec<String>,
    /// Only in the conversation with PEER.
    #[arg(long, value_name = "PEER")]
    pub(crate) with: Option<BareJid>,
    /// How many of the newest.
    #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT")]
    pub(crate) count: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Conversation {
    /// Your account.
    pub(crate) me: BareJid,
    /// The other side.
    pub(crate) peer: BareJid,
    /// Answer PEER's wish for no more encryption: go on, encrypted. Until then nothing is sent to PEER.
    #[arg(long)]
    pub(crate) keep_encrypted: bool,
    /// Whether each OMEMO version goes in a stanza of its own, for apps that drop one with both.
    #[arg(long, value_name = "YES")]
    pub(crate) separate_versions: Option<bool>,
    /// Mark everything of PEER as read.
    #[arg(long)]
    pub(crate) mark_read: bool,
    /// Queue the lines again that were not sent; the next chat sends them.
    #[arg(long)]
    pub(crate) resend: bool,
    /// Make new encryption sessions with PEER at the next chat: the remedy when messages cannot be decrypted.
    #[arg(long)]
    pub(crate) reset_sessions: bool,
    /// Write to this device of PEER in the older version of OMEMO, although it spoke the better one: ask PEER first.
    #[arg(long, value_name = "DEVICE")]
    pub(crate) accept_legacy: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// Your account.
    pub(crate) me: BareJid,
    /// Whose device it is.
    pub(crate) peer: BareJid,
    /// 64 hexadecimal digits, in groups or not.
    #[arg(required = true, num_args = 1..)]
    pub(crate) fingerprint: Vec<String>,
    /// Say that it is a wrong one: nothing is encrypted to a device that shows it.
    #[arg(long)]
    pub(crate) distrust: bool,
    /// Decide also about a fingerprint that no device of PEER has shown yet.
    #[arg(long)]
    pub(crate) unseen: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn secrets_are_kept_in_the_keyring_or_in_a_named_folder() {
        assert_eq!("keyring".parse(), Ok(SecretsAt::Keyring));
        assert_eq!("file:/k".parse(), Ok(SecretsAt::File("/k".into())));
        for wrong in ["file:", "file", "", "memory"] {
            assert!(wrong.parse::<SecretsAt>().is_err(), "{wrong:?}");
        }
    }
}
