//! Stanzas as another client sends them, taken without a network: what becomes a row, and what
//! moves.
//!
//! | File | What it shows |
//! |---|---|
//! | `alice` | the device under test: a store of its own |
//! | `peer` | another client, and the words of its stanzas |
//! | `received` | what can be read: once, with all that is known of it |
//! | `refused` | what cannot: its reason, and that nothing moved |
//! | `content` | what is content, and what only looks like it |
//! | `repeated` | the same again, and what only looks the same |
//! | `hostile` | much, deep and wrong |

pub(crate) mod alice;
mod content;
mod hostile;
pub(crate) mod peer;
mod received;
mod refused;
mod repeated;

use alice::Alice;
use peer::{Peer, Words, in_envelope, message};
