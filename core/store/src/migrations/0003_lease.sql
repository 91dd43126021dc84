-- account.generation is the last one that was taken completely; this is the one being taken. The secret store
-- holds one of the two, unless one of the files is an older copy.
ALTER TABLE account ADD COLUMN pending_generation INTEGER NOT NULL DEFAULT 0;
-- Set while the database is known to be an older copy of itself and its sessions are not yet retired: the
-- generation that it had.
ALTER TABLE account ADD COLUMN rolled_back_from INTEGER;

-- What processes without the lease leave for its holder, in the order of ids.
CREATE TABLE intake (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    peer TEXT NOT NULL,
    -- Kind of the conversation; NULL for a read mark.
    conversation_kind INTEGER,
    -- Given by the process that appended it, so that the message has one id from the start.
    origin_id TEXT,
    body TEXT,
    payload BLOB,
    -- Read up to this message.
    message INTEGER,
    queued INTEGER NOT NULL
) STRICT;
