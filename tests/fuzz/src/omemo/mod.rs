//! Targets of the engine: bytes from the wire, bytes from the database, bytes of files.

pub(crate) mod bundle;
pub(crate) mod device_list;
pub(crate) mod file;
pub(crate) mod message;
pub(crate) mod name;
pub(crate) mod record;
pub(crate) mod store;
