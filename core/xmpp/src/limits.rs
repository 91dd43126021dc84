//! Every bound of this crate, with its reason.

use core::time::Duration;

/// Bounds of the XML decoder.
///
/// A contact, through an honest server, chooses what stands inside a stanza. A bound that ended the
/// stream would let anyone cut us off for good: the server repeats the stanza at the next login. So
/// each inner bound costs only the stanza ([`crate::xml::Frame::Oversized`]); only the outer ones
/// (`*_fatal`), which no sane server passes on, end the stream.
///
/// What a contact can send is small, and what only our own server says may be large: so an answer of
/// the own account (`<iq type='result'/>` without `from`, or from the account itself, see
/// [`crate::xml::Decoder::set_account`]) has inner bounds of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XmlLimits {
    /// Bytes of one stanza on the wire before its content is dropped.
    pub stanza_bytes: usize,
    /// Estimated memory of one decoded stanza before its content is dropped.
    pub stanza_memory_bytes: usize,
    /// As [`Self::stanza_bytes`], for an answer of the own account.
    pub answer_bytes: usize,
    /// As [`Self::stanza_memory_bytes`], for an answer of the own account.
    pub answer_memory_bytes: usize,
    /// Elements open inside each other, the stanza itself being the first.
    pub depth: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Bytes of one stanza, dropped or not, before the stream ends.
    pub stanza_bytes_fatal: usize,
    /// Bytes of one name or attribute value before the stream ends: the parser holds it whole.
    pub token_bytes_fatal: usize,
}

impl XmlLimits {
    /// Before anyone proved who they are. Stream features and SASL are a few KiB, nesting is about
    /// five, and there is no contact whose stanza could be at fault: everything is fatal.
    pub const LOGIN: Self = Self {
        stanza_bytes: 64 * 1024,
        stanza_memory_bytes: 512 * 1024,
        answer_bytes: 64 * 1024,
        answer_memory_bytes: 512 * 1024,
        depth: 32,
        attributes: 32,
        stanza_bytes_fatal: 64 * 1024,
        token_bytes_fatal: 64 * 1024,
    };

    /// After login.
    ///
    /// - 768 KiB, and twice that in memory: servers let a peer's stanza grow to 256 KiB or 512 KiB, and an
    ///   archive wraps it in little more. A tree costs more than its text (`<a/>` is four bytes and about 320
    ///   in memory, `<a b=''/>` is nine and 1300): a message encrypted to 700 devices fits. With this, whatever
    ///   a contact writes costs less than 2 MiB while it is read.
    /// - 2 MiB for an answer of the own account, and 20 MiB in memory: the largest is a roster (about 150 bytes
    ///   per contact, and 2600 in memory); one of 7000 contacts in groups fits. A notification extension, which
    ///   has 24 MiB for everything and asks for no roster, sets less.
    /// - 64 levels: a MAM result with a carbon with a pubsub event with a form stays under 15, and
    ///   parsing and dropping a tree recurse once per level. Levels of dropped content cost nothing and have
    ///   no bound: a stanza that servers let pass has room for 75 000.
    /// - 64 attributes: real elements have under ten.
    /// - 8 MiB fatal: bytes of a dropped stanza are read and thrown away; beyond this the server
    ///   has no limit of its own and the traffic itself is the attack.
    /// - 512 KiB fatal for a single name or value: nobody's whole stanza is larger, and what has no end in
    ///   sight cannot be dropped before it is known to be one.
    pub const SESSION: Self = Self {
        stanza_bytes: 768 * 1024,
        stanza_memory_bytes: 1536 * 1024,
        answer_bytes: 2 * 1024 * 1024,
        answer_memory_bytes: 20 * 1024 * 1024,
        depth: 64,
        attributes: 64,
        stanza_bytes_fatal: 8 * 1024 * 1024,
        token_bytes_fatal: 512 * 1024,
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

/// Estimated memory of the stanzas among them. Without this bound, what is allowed to one stanza would
/// be allowed to as many as the queue holds. One that is larger waits until the queue is empty.
pub const EVENT_QUEUE_BYTES: usize = 1024 * 1024;

/// How long a server may take to answer when the process was asleep and the socket is perhaps dead
/// ([`crate::driver::Sender::probe`]): a round trip on a bad cell is half of it, and a person waits for what
/// comes then.
pub const WAKE_PROBE: Duration = Duration::from_secs(1);

/// SRV records of one name that are used; a zone with more is broken or hostile.
pub const MAX_SRV_RECORDS: usize = 32;

/// Addresses of one host that are tried.
pub const MAX_ADDRESSES: usize = 8;

/// Requests waiting for an answer in one [`crate::stream::IqTracker`].
pub const MAX_PENDING_IQS: usize = 1024;

/// Addresses on a block list. Real ones have under a hundred; each costs about 100 bytes.
pub const MAX_BLOCKED: usize = 10_000;

/// Bytes of the head of an HTTP answer; common servers stop at eight to sixteen KiB themselves.
pub const HTTP_HEAD_BYTES: usize = 16 * 1024;

/// Headers of an HTTP answer.
pub const HTTP_HEADERS: usize = 100;

/// Redirects on the way to a `host-meta`: from the bare domain to `www`, and one to spare.
pub const HTTP_REDIRECTS: usize = 3;

/// Bytes of a `host-meta`. It is the domain's own list of a few links.
pub const HOST_META_BYTES: usize = 64 * 1024;

/// WebSockets of one domain that are tried.
pub const MAX_WEBSOCKETS: usize = 4;

/// Bytes of `<open/>` or `<close/>` in a WebSocket, which are held whole.
pub const WEBSOCKET_FRAMING_BYTES: usize = 8 * 1024;
