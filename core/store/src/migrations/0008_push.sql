-- Where the server is to push for this device, and how that stands: encoded by the client.
ALTER TABLE account ADD COLUMN push BLOB;
