//! The life of a stream as sans-IO machines: what arrived goes in, what to do comes out.
//!
//! ```text
//!   Login:  Header ► Features ► [StartTls] ► Header ► Features ► SASL ► Header ► Features ► bind ► enable ► Ready
//!   then:   Management counts and acknowledges, IqTracker matches answers to requests
//! ```
//!
//! Nothing here knows whether frames travel over TCP or WebSocket: outputs are elements and
//! headers, and the driver writes them.

mod config;
mod error;
mod features;
mod iq;
mod login;
mod management;
pub mod sasl;
mod session;

pub use config::{LoginConfig, Password, Transport};
pub use error::{LoginError, StreamError};
pub use features::{StreamFeatures, StreamLimits};
pub use iq::{IqAnswer, IqTracker, TrackError};
pub use login::{Login, LoginOutput};
pub use management::{
    AckPolicy, Acked, HandledCountTooHigh, InboundCounter, Management, NotReceived, OutboundQueue,
    ResumableState, StanzaSeq, Unacked, UnackedFull,
};
pub use session::{Session, StreamResumption};
