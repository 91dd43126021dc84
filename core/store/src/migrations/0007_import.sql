-- Messages without a name, so that an import finds the ones that it brought before.
CREATE INDEX message_nameless ON message (conversation, received)
    WHERE stanza_id IS NULL AND origin_id IS NULL;
-- What an import brings is old and has new rows, so that the order of rows is no order of age: for what is to be
-- forgotten.
CREATE INDEX message_received ON message (received);
