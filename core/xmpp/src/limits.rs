//! Every bound of this crate, with its reason.

/// Bounds of the XML decoder.
///
/// A contact, through an honest server, chooses what stands inside a stanza. A bound that ended the
/// stream would let anyone cut us off for good: the server repeats the stanza at the next login. So
/// each inner bound costs only the stanza ([`crate::xml::Frame::Oversized`]); only the outer ones
/// (`*_fatal`), which no sane server passes on, end the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XmlLimits {
    /// Bytes of one stanza on the wire before its content is dropped.
    pub stanza_bytes: usize,
    /// Estimated memory of one decoded stanza before its content is dropped.
    pub stanza_memory_bytes: usize,
    /// Elements open inside each other, the stanza itself being the first.
    pub depth: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Bytes of one stanza, dropped or not, before the stream ends.
    pub stanza_bytes_fatal: usize,
    /// Open elements, dropped or not, before the stream ends.
    pub depth_fatal: usize,
}

impl XmlLimits {
    /// Before anyone proved who they are. Stream features and SASL are a few KiB, nesting is about
    /// five, and there is no contact whose stanza could be at fault: everything is fatal.
    pub const LOGIN: Self = Self {
        stanza_bytes: 64 * 1024,
        stanza_memory_bytes: 512 * 1024,
        depth: 32,
        attributes: 32,
        stanza_bytes_fatal: 64 * 1024,
        depth_fatal: 32,
    };

    /// After login.
    ///
    /// - 2 MiB: the largest single answer is a roster (about 150 bytes per contact); servers let a peer's stanza grow to 256 KiB to 1 MiB.
    /// - 8 MiB memory: a tree costs more than its text (`<a/>` is four bytes and about 320 in memory);
    ///   a roster of 7000 contacts in groups fits. A notification extension, which has 24 MiB for everything and
    ///   asks for no roster, sets less.
    /// - 64 levels: a MAM result with a carbon with a pubsub event with a form stays under 15, and
    ///   parsing and dropping a tree recurse once per level.
    /// - 64 attributes: real elements have under ten.
    /// - 8 MiB fatal: bytes of a dropped stanza are read and thrown away; beyond this the server
    ///   has no limit of its own and the traffic itself is the attack.
    /// - 32 768 levels fatal: each open element costs the parser its name (24 bytes) even if
    ///   dropped.
    pub const SESSION: Self = Self {
        stanza_bytes: 2 * 1024 * 1024,
        stanza_memory_bytes: 8 * 1024 * 1024,
        depth: 64,
        attributes: 64,
        stanza_bytes_fatal: 8 * 1024 * 1024,
        depth_fatal: 32_768,
    };
}

/// Fewest PBKDF2 rounds that we accept from a SCRAM server. RFC 5802 §5.1 and RFC 7677 §4 tell
/// servers to ask for 4096 at least. With fewer, whoever poses as the server could have us hand out
/// a proof that tests guesses of the password at the price of a few hashes each.
pub const SCRAM_MIN_ITERATIONS: u32 = 4096;

/// Most PBKDF2 rounds that we accept. A hostile server could otherwise keep the CPU of a phone busy
/// for hours. Deployed values end at about 100 000; a million is under two seconds.
pub const SCRAM_MAX_ITERATIONS: u32 = 1_000_000;

/// Most bytes of a SCRAM message or its salt, before base64. Real ones are under 300.
pub const SCRAM_MAX_BYTES: usize = 4096;

/// Elements that a login may take. A login is about ten; more is a server that plays for time.
pub const LOGIN_MAX_FRAMES: usize = 64;

/// Stanzas that may arrive between bind and `<enabled/>`, where they are kept for the session.
pub const LOGIN_MAX_EARLY_STANZAS: usize = 32;

/// Stanzas sent and not acknowledged before the sender stops taking more. Each is kept in memory
/// for a resend.
pub const MAX_UNACKED: usize = 512;

/// Stanzas queued for the socket. Small: a full queue is how the client learns to slow down.
pub const SEND_QUEUE: usize = 64;

/// Events that wait for the client. With the socket's own buffer behind it, a slow client slows the
/// server down instead of filling memory.
pub const EVENT_QUEUE: usize = 64;

/// SRV records of one name that are used; a zone with more is broken or hostile.
pub const MAX_SRV_RECORDS: usize = 32;

/// Addresses of one host that are tried.
pub const MAX_ADDRESSES: usize = 8;

/// Requests waiting for an answer in one [`crate::stream::IqTracker`].
pub const MAX_PENDING_IQS: usize = 1024;

/// Addresses on a block list. Real ones have under a hundred; each costs about 100 bytes.
pub const MAX_BLOCKED: usize = 10_000;
