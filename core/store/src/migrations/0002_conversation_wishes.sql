-- A contact's wish to go on without encryption (XEP-0384 §5.9) that the user has not answered yet: when it
-- came, and the reason given. Nothing is sent while it stands.
ALTER TABLE conversation ADD COLUMN opt_out_at INTEGER;
ALTER TABLE conversation ADD COLUMN opt_out_reason TEXT;
-- Whether both OMEMO versions go in stanzas of their own: some apps drop one that holds both.
ALTER TABLE conversation ADD COLUMN separate_versions INTEGER NOT NULL DEFAULT 0;
