-- Words of messages, for the user's search: contentless, because the text stands in `message` already. What is indexed
-- is the text as `search::tokens` writes it, so only that can take a row out again.
CREATE VIRTUAL TABLE message_search USING fts5 (
    text,
    content = '',
    tokenize = 'unicode61 remove_diacritics 2'
);
-- A word that is deleted is gone from the index at once, not at its next merge.
INSERT INTO message_search (message_search, rank) VALUES ('secure-delete', 1);
-- Messages up to this row are indexed. The rest is searched by reading it.
ALTER TABLE account ADD COLUMN search_mark INTEGER NOT NULL DEFAULT 0;
