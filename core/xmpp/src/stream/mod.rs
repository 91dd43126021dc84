//! The life of a stream as sans-IO machines: what arrived goes in, what to do comes out.
//!
//! ```text
//!   Login:  Header ► Features ► [StartTls] ► Header ► Features ┬ SASL2 with everything inside ► Ready
//!                                                              └ SASL ► Header ► Features ► resume or bind, enable ► Ready
//!   then:   Management counts and acknowledges, IqTracker matches answers to requests,
//!           Liveness knows whether anybody is there, ClientStates what to say again
//! ```
//!
//! Nothing here knows whether frames travel over TCP or WebSocket: outputs are elements and
//! headers, and the driver writes them.

mod client_states;
mod config;
mod error;
mod features;
mod inline;
mod iq;
mod liveness;
mod login;
mod management;
mod pins;
mod record;
mod resumption;
pub mod sasl;
mod session;
mod token;
mod user_agent;

pub use client_states::ClientStates;
pub use config::{ClientState, LoginConfig, Password, Transport};
pub use error::{LoginError, StreamError};
pub use features::{StreamFeatures, StreamLimits};
pub use inline::{BindOffer, InlineOffer};
pub use iq::{IqAnswer, IqTracker, TrackError};
pub use liveness::{Liveness, Question};
pub use login::{Login, LoginOutput};
pub use management::{
    AckPolicy, Acked, HandledCountTooHigh, InboundCounter, LostStream, Management, NotReceived,
    OutboundQueue, ResumableState, ResumedAt, StanzaSeq, StreamRecord, Unacked, UnackedFull,
};
pub use pins::{Downgrade, Pins};
pub use record::RecordError;
pub use resumption::{ResumeRequest, Resumption};
pub use session::{Authentication, Session, StreamResumption};
pub use token::{FastToken, TokenNews};
pub use user_agent::{NotAUuid, UserAgent};
