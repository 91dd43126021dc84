-- Beginnings of one and two letters have lists of their own: who types the first letter of a word need not wait until
-- the lists of all words with it are put together. An index that exists cannot be given them, so it is made anew, in
-- idle batches as before; until then a search reads.
DROP TABLE message_search;
CREATE VIRTUAL TABLE message_search USING fts5 (
    text,
    content = '',
    prefix = '1 2',
    tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO message_search (message_search, rank) VALUES ('secure-delete', 1);
UPDATE account SET search_mark = 0;
