//! Every limit of the engine, each with its reason.

/// Most message keys one message may skip in one chain, omemo:2.
///
/// XEP-0384 §4.3 (Double Ratchet) recommends around 1000. Lower loses messages after a long time
/// offline; higher lets one authenticated but hostile message cost more hashing and storage.
pub const MAX_SKIP: u32 = 1000;

/// The same for legacy sessions: libsignal accepts jumps of up to 2000, and peers built on it count
/// on that.
pub const MAX_SKIP_LEGACY: u32 = 2000;

/// Most skipped message keys kept per device and version; the oldest go first.
///
/// XEP-0384 §4.3 recommends 1000 with FIFO eviction. A row is about 100 bytes, so this bounds a peer
/// device to some 100 kB of storage.
pub const MAX_SKIPPED_KEYS: usize = 1000;

/// How often the peer may turn its ratchet before a skipped key is thrown away.
///
/// XEP-0384 §4.3 asks not to keep them forever, and to count events rather than time. A lively conversation
/// turns some hundred times a day. Whoever catches up with several archives forbids eviction meanwhile, so that
/// this never meets a message that is still to come.
pub const SKIPPED_KEY_TURNS: u32 = 1000;

/// Receiving chains kept per session after the peer moved on to a new ratchet key.
///
/// libsignal keeps 5, and writes a `pn` that is one too low, so that only the kept chain can decrypt
/// the last message of a chain when it arrives late.
pub const OLD_CHAINS: usize = 5;

/// Replaced sessions kept per device and version.
///
/// When both sides initiate at once, each one's exchange replaces the other's session; without kept
/// sessions the two never meet. libsignal keeps 40. Two or three are in use at any time in practice, and every
/// kept one costs a Diffie-Hellman on a message that fits none, hence 10.
pub const ARCHIVED_SESSIONS: usize = 10;

/// Fewest prekeys a published bundle may hold (XEP-0384 §4.2: at least 25).
pub const MIN_PRE_KEYS: usize = 25;

/// Prekeys a bundle is filled up to (XEP-0384 §4.2: around 100).
pub const TARGET_PRE_KEYS: usize = 100;

/// Private keys of used prekeys that are kept outside a catch-up, the newest. As many as a bundle has: whoever draws
/// from a bundle that is that far behind has fetched it long ago.
pub const MAX_USED_PRE_KEYS: usize = TARGET_PRE_KEYS;

/// A message with this counter or a later one, the first seen for a ratchet key of the peer, is
/// answered by an empty message so that the ratchet turns (XEP-0384 §6, "n ≥ 53").
pub const HEARTBEAT_COUNTER: u32 = 53;

/// Days between two signed prekeys. XEP-0384 §4.2 asks for one week to one month; the private key
/// of the previous one is kept for one further period, for key exchanges under way.
pub const SIGNED_PRE_KEY_ROTATION_DAYS: i64 = 7;

/// [`SIGNED_PRE_KEY_ROTATION_DAYS`] in milliseconds.
pub const SIGNED_PRE_KEY_ROTATION_MILLIS: i64 = SIGNED_PRE_KEY_ROTATION_DAYS * 24 * 60 * 60 * 1000;

/// Largest prekey and signed prekey id (XEP-0384 §5.3.2: 1 to 2³¹−1).
pub const MAX_PRE_KEY_ID: u32 = 0x7FFF_FFFF;

/// Most devices read from one device list. A person has a handful; whoever publishes thousands makes
/// every sender fetch as many bundles. The same number is a practice in the field.
pub const MAX_DEVICES: usize = 200;

/// Most prekeys read from a peer's bundle. Ten times the recommended number; one is needed.
pub const MAX_BUNDLE_PRE_KEYS: usize = 1000;

/// Most identity keys remembered per account of a peer. Reinstalling gives a new one, so this is many
/// years of reinstalling; past it, new keys stay undecided.
pub const MAX_KNOWN_KEYS: usize = 1000;

/// What one message may cost, in steps of a chain, over all keys and sessions that it is tried with.
///
/// A message that fits no chain is tried with the current session and every archived one, and a legacy one with up to
/// [`MAX_CANDIDATE_KEYS`] keys: 176 Diffie-Hellmans and 352,000 steps, a tenth of a second and more, for two kilobytes
/// that anyone on the way can write. This is enough to look for a message that skips [`MAX_SKIP`] others in every session
/// that is kept, and takes a few milliseconds.
pub const WORK_PER_MESSAGE: u32 = 12_500;

/// Messages per device and version of which is remembered that they were read, to tell a repetition from a second
/// message in the same place. Five bytes each.
pub const SEEN_MESSAGES: usize = 200;

/// Largest message of one device, in bytes: `<key/>` content after base64. The largest that OMEMO can
/// make is a key exchange of some 300 bytes.
pub const MAX_KEY_BYTES: usize = 4096;

/// Most `<key/>` elements for our device id that are tried in one legacy message. Legacy keys name no
/// account, so devices of several accounts may share a number; more than a few is an attack.
pub const MAX_CANDIDATE_KEYS: usize = 16;

/// Longest device label kept, in bytes. XEP-0384 §5.3.1 recommends fewer than 53 code points.
pub const MAX_LABEL_BYTES: usize = 1024;
