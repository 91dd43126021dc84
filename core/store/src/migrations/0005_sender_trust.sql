-- What was thought of sender_key when it authenticated the message. NULL if nothing did, or for what arrived before
-- this column.
ALTER TABLE message ADD COLUMN sender_trust INTEGER;
