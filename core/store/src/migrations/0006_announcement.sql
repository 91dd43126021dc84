-- Messages that the user is still to be told of. A notification may be lost together with the process that was to post
-- it; so the row is committed with the message, and goes when the host says that the notification is up.
CREATE TABLE announcement (
    message INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE
) STRICT;
