//! The XMPP session of Eft.
//!
//! Not here: any encryption of messages, any storage, any decision about trust, and no clock or
//! randomness of its own. Nothing here knows what a conversation is. Sockets live in [`driver`] only; everything else
//! is a pure function or a state machine that is handed what arrived and returns what to do.
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
//! | [`xml`] | bytes ⇄ `minidom::Element`, bounded |
//! | [`stream`] | sans-IO: [`stream::Login`] (STARTTLS, SASL, bind), [`stream::Management`] (XEP-0198), [`stream::IqTracker`] |
//! | [`driver`] | DNS, TCP, TLS, and the running [`driver::Connection`] |
//! | [`xep`] | one file per XEP: build and parse, wire only |
//! | [`limits`] | every bound with its reason |
//! | [`ns`] | namespaces |
//!
//! Law of acknowledgement: the count `h` that we report to the server names only stanzas that the
//! caller declared durable ([`driver::Sender::durable_up_to`]), always a contiguous prefix. What was
//! not durable when the process died is sent again by the server.
//!
//! Texts: RFC 6120, 6121, 7590, 7622, 5802, 7677 and the XEPs named in line 1 of each file of [`xep`].

pub mod driver;
pub mod limits;
pub mod ns;
pub mod stream;
pub mod xep;
pub mod xml;

pub use minidom::Element;
