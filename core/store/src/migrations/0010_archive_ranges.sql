-- Parts of an archive that were read and do not join the part that ends at archive.last_stanza_id: what lies between is
-- known to be missing. Only archive pages move and join them. While there are any, archive.at_end speaks of the newest.
CREATE TABLE archive_range (
    id INTEGER PRIMARY KEY,
    archive INTEGER NOT NULL REFERENCES archive (id) ON DELETE CASCADE,
    -- Both ends, whether or not they became rows.
    first_stanza_id TEXT NOT NULL,
    first_time INTEGER NOT NULL,
    last_stanza_id TEXT NOT NULL,
    last_time INTEGER NOT NULL,
    -- Its messages have places between these, even numbers. What has a smaller one stands beyond the gap before it.
    oldest_place INTEGER NOT NULL,
    newest_place INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX archive_range_place ON archive_range (archive, oldest_place);
-- Oldest message of the part that ends at last_stanza_id; NULL where that was read before this was noted.
ALTER TABLE archive ADD COLUMN first_stanza_id TEXT;
ALTER TABLE archive ADD COLUMN first_time INTEGER;
-- The archive has nothing before first_stanza_id.
ALTER TABLE archive ADD COLUMN at_beginning INTEGER NOT NULL DEFAULT 0;
-- Older history is read per conversation: its oldest message read so, and whether the archive has nothing before it.
ALTER TABLE conversation ADD COLUMN older_stanza_id TEXT;
ALTER TABLE conversation ADD COLUMN older_at_beginning INTEGER NOT NULL DEFAULT 0;
