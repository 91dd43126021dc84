//! What the tests, the demo and the benches stand on: a real server, real peers, a bad network.
//!
//! Not here: any behaviour of Eft. Nothing in this crate but [`Phone`], which only calls the public API, and
//! [`Rogue`], which the stories show to be able to read, speaks OMEMO or XMPP, so that a fault of Eft cannot hide
//! a fault of Eft.
//!
//! | Module | Noun |
//! |---|---|
//! | [`certificates`] | [`Certificates`]: a certificate authority of this run and the leaves it signed |
//! | [`prosody`] | [`Prosody`]: a Prosody 13 on loopback with a folder, accounts and an operator |
//! | [`ejabberd`] | [`Ejabberd`]: an ejabberd 24.12 on loopback, with accounts |
//! | [`server`] | [`Server`]: what a client has to know of either; [`AnyServer`]: one of the two |
//! | [`federation`] | [`Federation`]: servers that find and trust each other, by the [`name_server`] |
//! | [`app_server`] | [`AppServer`]: the push server of an app, as a component |
//! | [`bot`] | [`Bot`]: an OMEMO client that shares no code with Eft, as a child process |
//! | [`fault_proxy`] | [`FaultProxy`]: a TCP proxy that delays, stalls, cuts and resets |
//! | [`child`] | [`Child`]: a process of our own that can be killed; [`Home`]: its account |
//! | [`flights`] | a proxy that counts round trips and bytes |
//! | [`deadline`] | [`Deadline`], [`wait_for`]: waiting with an end |
//! | [`phone`] | [`Phone`]: an Eft on a data folder of its own |
//! | [`rogue`] | [`Rogue`]: a device that the operator invents for one of its users |
//! | [`scripted`] | [`ScriptedServer`]: the malicious server, which can be honest, as a child process |
//! | [`unencrypted`] | [`open_database`] of a phone without Eft, and [`unencrypted_copy`] of it |
//! | [`port`] | [`free_port`] |
//! | [`soak`] | [`Slice`](soak::Slice): a test that can run for as long as one likes |
//!
//! ```no_run
//! # async fn story() -> Result<(), Box<dyn std::error::Error>> {
//! use eft_tests::{Bot, Prosody};
//!
//! let server = Prosody::start().await?;
//! let alice = server.add_account("alice").await?;
//! let mut bot = Bot::start(&server, &alice).await?;
//! println!("device {}", bot.device());
//! # Ok(()) }
//! ```
//!
//! Everything listens on 127.0.0.1 and lives in a temporary folder. Children are ended by their own process id
//! when their handle is dropped.

pub mod app_server;
pub mod bot;
pub mod certificates;
pub mod child;
pub mod deadline;
mod disk;
pub mod ejabberd;
pub mod fault_proxy;
pub mod federation;
pub mod flights;
pub mod name_server;
pub mod phone;
pub mod port;
mod process;
pub mod prosody;
pub mod rogue;
pub mod scripted;
pub mod server;
pub mod soak;
pub mod unencrypted;

pub use app_server::{AppServer, AppServerPlace, Push};
pub use bot::{Bot, BotError, BotOptions, Version};
pub use certificates::{Certificates, CertificatesError};
pub use child::{Child, Home};
pub use deadline::{Deadline, TimedOut, wait_for};
pub use ejabberd::{Ejabberd, EjabberdBuilder, EjabberdError};
pub use fault_proxy::{Direction, FaultProxy};
pub use federation::{Federation, FederationError};
pub use phone::{Phone, connect_options};
pub use port::free_port;
pub use prosody::{
    ArchivePolicy, ArchivedStanza, Mechanisms, Prosody, ProsodyBuilder, ProsodyError,
};
pub use rogue::{Reading, Rogue, RogueError};
pub use scripted::ScriptedServer;
pub use server::{AnyServer, Login, Ports, Server, ServerError, ServerKind};
pub use unencrypted::{open_database, unencrypted_copy};

/// Compiles the examples of the README, so that they stay true.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
