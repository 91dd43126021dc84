//! Wire formats, one file per XEP: pure functions from values to elements and back.
//!
//! Reading is tolerant where deployed peers differ and strict about who may say what: where a
//! forgery is possible, the parser takes the address that must have said it. Nothing here decides
//! anything.
//!
//! | File | Text |
//! |---|---|
//! | [`iq`], [`message`], [`presence`], [`roster`] | RFC 6120, 6121 |
//! | [`data_forms`], [`disco`], [`rsm`], [`pubsub`], [`caps`] | XEP-0004, 0030, 0059, 0060 with 0163, 0115 |
//! | [`version`] | XEP-0092 |
//! | [`datetime`], [`alt_connections`], [`receipts`], [`blocking`], [`ping`], [`delay`] | XEP-0082, 0156, 0184, 0191, 0199, 0203 |
//! | [`carbons`], [`forward`], [`mam`] | XEP-0280, 0297, 0313 |
//! | [`hints`], [`csi`], [`push`], [`stanza_id`], [`eme`] | XEP-0334, 0352, 0357, 0359, 0380 |
//! | [`omemo2`], [`omemo_legacy`], [`sce`] | XEP-0384 0.9 and 0.3, 0420 |
//! | [`displayed_sync`] | XEP-0490 |
//! | [`stanza_error`], [`stream_limits`] | RFC 6120 §8.3, XEP-0478 |

pub mod alt_connections;
pub mod blocking;
pub mod caps;
pub mod carbons;
pub mod csi;
pub mod data_forms;
pub mod datetime;
pub mod delay;
pub mod disco;
pub mod displayed_sync;
pub mod eme;
pub mod forward;
pub mod hints;
pub mod iq;
pub mod mam;
pub mod message;
pub mod omemo2;
pub mod omemo_legacy;
pub mod ping;
pub mod presence;
pub mod pubsub;
pub mod push;
pub mod receipts;
pub mod roster;
pub mod rsm;
pub mod sce;
pub mod stanza_error;
pub mod stanza_id;
pub mod stream_limits;
mod text;
pub mod version;
