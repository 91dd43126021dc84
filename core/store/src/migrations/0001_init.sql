-- Times are milliseconds since the Unix epoch, UTC. Flags are 0 or 1. Codes are those of src/model.

CREATE TABLE account (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Own bare address. Never changes: one database belongs to one account.
    jid TEXT NOT NULL,
    -- Password, SCRAM key or token, encoded by the client.
    credential BLOB,
    -- Whether new conversations start out encrypted.
    encrypt_direct INTEGER NOT NULL DEFAULT 1,
    encrypt_rooms INTEGER NOT NULL DEFAULT 1,
    -- Raised by each new holder of the lease; a writer whose own number is older must stop.
    generation INTEGER NOT NULL DEFAULT 0,
    -- Counts what syncs the log when nothing else changes. The number means nothing.
    sync_count INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Everything that the OMEMO engine keeps, a row per record.
CREATE TABLE omemo_record (
    -- RecordKind
    kind INTEGER NOT NULL,
    -- RecordKey, unique within its kind; kinds that belong to a peer start with JID and 0x00.
    key BLOB NOT NULL,
    -- First byte: version of the record's encoding.
    value BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

-- Archives (XEP-0313): our own, and one per room.
CREATE TABLE archive (
    id INTEGER PRIMARY KEY,
    jid TEXT NOT NULL UNIQUE,
    -- Last message of the part that was read without a hole. Only archive pages move it.
    last_stanza_id TEXT,
    last_time INTEGER,
    -- The last page read was the archive's end.
    at_end INTEGER NOT NULL DEFAULT 0,
    -- Places given out so far, see message.place. Even numbers.
    newest_place INTEGER NOT NULL DEFAULT 0,
    oldest_place INTEGER NOT NULL DEFAULT 0,
    CHECK ((last_stanza_id IS NULL) = (last_time IS NULL))
) STRICT;

CREATE TABLE conversation (
    id INTEGER PRIMARY KEY,
    -- Bare address of the contact or room.
    peer TEXT NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    encryption INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE message (
    -- Never reused: notifications and the search index refer to it.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    -- Order in the conversation is (place, id). Even: a position in the archive, each used once.
    -- Odd: provisional, after the archive position below it.
    place INTEGER NOT NULL,
    direction INTEGER NOT NULL,
    -- Real bare address; in a room that hides it, the occupant's address.
    sender TEXT NOT NULL,
    sender_device INTEGER,
    -- Identity key that authenticated it, Curve25519 form.
    sender_key BLOB,
    -- Chosen by the sender (XEP-0359).
    origin_id TEXT,
    -- Chosen by the archive (XEP-0359).
    archive INTEGER REFERENCES archive (id),
    stanza_id TEXT,
    -- When the server took it, if it said so; when we did.
    server_time INTEGER,
    received INTEGER NOT NULL,
    encryption INTEGER NOT NULL,
    -- What can be read. NULL together with a cause.
    body TEXT,
    payload BLOB,
    -- Why it cannot be read, NULL if it can; for the technically minded; what is left to try.
    cause INTEGER,
    detail TEXT,
    ciphertext BLOB,
    retry INTEGER,
    -- Day (UTC, days since the epoch) on which it counts as a failure; NULL if it is none.
    failure_day INTEGER,
    -- Failures that this row stands for.
    folded_count INTEGER NOT NULL DEFAULT 0,
    -- Progress of a message that this device sends.
    delivery INTEGER,
    send_failure INTEGER,
    send_failure_detail TEXT,
    unread INTEGER NOT NULL DEFAULT 0,
    CHECK ((archive IS NULL) = (stanza_id IS NULL)),
    CHECK ((body IS NULL) = (cause IS NOT NULL))
) STRICT;

-- The timeline. The row id is part of every index.
CREATE INDEX message_place ON message (conversation, place);
-- An archive names a message once.
CREATE UNIQUE INDEX message_archive ON message (archive, stanza_id) WHERE stanza_id IS NOT NULL;
-- A sender names a message once per conversation.
CREATE UNIQUE INDEX message_origin ON message (conversation, sender, origin_id)
    WHERE origin_id IS NOT NULL;
-- Messages that no archive has named: they follow their neighbours when those get their place.
CREATE INDEX message_floating ON message (conversation, place) WHERE stanza_id IS NULL;
CREATE INDEX message_unread ON message (conversation, place) WHERE unread = 1;
CREATE INDEX message_retry ON message (retry, sender, sender_device) WHERE retry IS NOT NULL;
CREATE INDEX message_failure ON message (sender, failure_day, sender_device)
    WHERE failure_day IS NOT NULL;

-- What waits to be sent, in the order of ids.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- NULL for a stanza without a message of its own.
    message INTEGER REFERENCES message (id) ON DELETE CASCADE,
    recipient TEXT,
    -- Bytes on the wire; once set they do not change.
    stanza BLOB,
    queued INTEGER NOT NULL,
    -- Number on the current stream (XEP-0198).
    stream_sequence INTEGER
) STRICT;
CREATE INDEX outbox_message ON outbox (message) WHERE message IS NOT NULL;

-- What the engine wants done, idempotent, removed when done.
CREATE TABLE action (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL UNIQUE,
    value BLOB NOT NULL
) STRICT;

-- The stream that can be resumed (XEP-0198), if any.
CREATE TABLE stream (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    resume_id BLOB NOT NULL,
    handled_inbound INTEGER NOT NULL,
    acked_outbound INTEGER NOT NULL,
    -- Location, limits, features, encoded by the client.
    details BLOB NOT NULL
) STRICT;

-- What happened to devices, for the user to read. Only ever appended to.
CREATE TABLE device_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    jid TEXT NOT NULL,
    device INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    detail TEXT
) STRICT;
CREATE INDEX device_log_jid ON device_log (jid);
