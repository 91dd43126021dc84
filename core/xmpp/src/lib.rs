//! The XMPP session of Eft.
//!
//! Not here: any encryption of messages, any storage, any decision about trust, and no randomness or
//! clock of its own. Nothing here knows what a conversation is. Sockets and timers live in [`driver`]
//! only; everything else is a pure function or a state machine that is handed what arrived and
//! returns what to do.
//!
//! ```text
//!   socket ──bytes──► xml::Decoder ──Frame──► stream::Login ──► Session      (once)
//!                                   └─Frame──► stream::Management ──► Event    (then)
//!   socket ◄─bytes── xml::encode_stanza ◄── driver::Sender ◄── xep::* build an Element
//!                                                    Event ──► xep::* parse the Element
//! ```
//!
//! | Module | Holds |
//! |---|---|
//! | [`address`] | addresses that somebody else chose |
//! | [`xml`] | bytes ⇄ `minidom::Element`, bounded |
//! | [`stream`] | sans-IO: [`stream::Login`] (STARTTLS, SASL2 or SASL, bind, resume), [`stream::Management`] (XEP-0198), [`stream::IqTracker`] |
//! | [`driver`] | DNS, TCP, TLS, and the running [`driver::Connection`] |
//! | [`xep`] | one file per XEP: build and parse, wire only |
//! | [`fuzz`] | every way in for bytes from outside, for fuzzers |
//! | [`limits`] | every bound with its reason |
//! | [`ns`] | namespaces |
//!
//! Law of acknowledgement: the count `h` that we report to the server names only stanzas that the
//! caller declared durable ([`driver::Sender::durable_up_to`]), always a contiguous prefix. What was
//! not durable when the process died is sent again by the server.
//!
//! All of it but the sockets, in one example: bytes that arrive, what they mean, what may be said.
//!
//! ```
//! use eft_xmpp::limits::XmlLimits;
//! use eft_xmpp::stream::Management;
//! use eft_xmpp::xep::message::{self, MessageHead};
//! use eft_xmpp::xml::{Decoder, Frame};
//!
//! let arrived = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>
//!     <message from='juliet@capulet.example/balcony' type='chat' id='m1'><body>Art thou not Romeo?</body></message>";
//! let mut input = &arrived[..];
//! let mut decoder = Decoder::new(XmlLimits::SESSION);
//! let mut management = Management::new();
//! while let Some(frame) = decoder.decode(&mut input)? {
//!     let Frame::Element(stanza) = frame else { continue };
//!     let seq = management.inbound.receive();
//!     let head = MessageHead::parse(&stanza).ok_or("no message")?;
//!     assert_eq!(head.id.as_deref(), Some("m1"));
//!     assert_eq!(message::body_of(stanza.children()).as_deref(), Some("Art thou not Romeo?"));
//!     assert_eq!(management.inbound.handled(), 0); // nothing may be acknowledged yet
//!     // … the transaction is on disk …
//!     management.inbound.durable_up_to(seq)?;
//! }
//! assert_eq!(management.inbound.handled(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a caller keeps between connections are values with `to_bytes` and `from_bytes`:
//! [`stream::Pins`] (what the server once had), [`stream::FastToken`] (as secret as a password) and
//! [`stream::StreamRecord`] (the stream that another process may go on with).
//!
//! Texts: RFC 6120, 6121, 7590, 7622, 5802, 7677 and the XEPs named in line 1 of each file of
//! [`xep`].

pub mod address;
pub mod driver;
pub mod fuzz;
pub mod limits;
pub mod ns;
pub mod stream;
pub mod xep;
pub mod xml;

pub use minidom::Element;
