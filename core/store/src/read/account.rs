//! `account` and `device_log`.

use eft_types::{BareJid, DeviceAddress, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{bare_jid, coded, device_id, rows};
use crate::error::StoreError;
use crate::lease::Generations;
use crate::model::{Account, Credential, DeviceEvent, DeviceEventKind, Opaque};

pub(crate) fn own_jid(connection: &Connection) -> Result<BareJid, StoreError> {
    let jid: String = connection.query_row("SELECT jid FROM account", [], |row| row.get(0))?;
    bare_jid(&jid, "account.jid")
}

pub(crate) fn account(connection: &Connection) -> Result<Account, StoreError> {
    let mut find = connection
        .prepare_cached("SELECT jid, credential, encrypt_direct, encrypt_rooms FROM account")?;
    let (jid, account) = find.query_row([], |row| {
        let jid: String = row.get(0)?;
        let credential: Option<Vec<u8>> = row.get(1)?;
        Ok((jid, (credential, row.get(2)?, row.get(3)?)))
    })?;
    let (credential, encrypt_direct, encrypt_rooms) = account;
    Ok(Account {
        jid: bare_jid(&jid, "account.jid")?,
        credential: credential.map(Credential::new),
        encrypt_direct,
        encrypt_rooms,
    })
}

/// The registration for pushes.
pub(crate) fn push(connection: &Connection) -> Result<Option<Opaque>, StoreError> {
    let mut find = connection.prepare_cached("SELECT push FROM account")?;
    let push: Option<Vec<u8>> = find.query_row([], |row| row.get(0))?;
    Ok(push.map(Opaque::from))
}

/// The numbers that tell who may write, and whether the database is an older copy.
pub(crate) fn generations(connection: &Connection) -> Result<Generations, StoreError> {
    let mut find = connection
        .prepare_cached("SELECT generation, pending_generation, rolled_back_from FROM account")?;
    Ok(find.query_row([], |row| {
        let current = generation(row.get(0)?);
        let pending = generation(row.get(1)?);
        Ok(Generations {
            current,
            pending: pending.max(current),
            rolled_back_from: row.get::<_, Option<i64>>(2)?.map(generation),
        })
    })?)
}

/// The one that every write compares.
pub(crate) fn newest_generation(connection: &Connection) -> Result<u64, StoreError> {
    let mut find =
        connection.prepare_cached("SELECT max(generation, pending_generation) FROM account")?;
    Ok(find.query_row([], |row| row.get(0).map(generation))?)
}

/// A generation is a count, which SQLite stores as a number with a sign.
const fn generation(stored: i64) -> u64 {
    stored.cast_unsigned()
}

/// Newest first. By time and not by row, because an import brings old ones last.
pub(crate) fn device_log(
    connection: &Connection,
    of: Option<&BareJid>,
    limit: usize,
) -> Result<Vec<DeviceEvent>, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT at, jid, device, kind, detail FROM device_log
         WHERE ?1 IS NULL OR jid = ?1 ORDER BY at DESC, id DESC LIMIT ?2",
    )?;
    let mut found = find.query(params![of.map(|jid| jid.as_str()), rows(limit)])?;
    let mut events = Vec::new();
    while let Some(row) = found.next()? {
        events.push(event(row)?);
    }
    Ok(events)
}

/// Every line of the device log, one after the other, in the order of rows.
pub(crate) fn each_device_event<E: From<StoreError>>(
    connection: &Connection,
    mut take: impl FnMut(DeviceEvent) -> Result<(), E>,
) -> Result<(), E> {
    let mut find = connection
        .prepare("SELECT at, jid, device, kind, detail FROM device_log ORDER BY id")
        .map_err(StoreError::from)?;
    let mut found = find.query([]).map_err(StoreError::from)?;
    while let Some(row) = found.next().map_err(StoreError::from)? {
        take(event(row)?)?;
    }
    Ok(())
}

fn event(row: &Row<'_>) -> Result<DeviceEvent, StoreError> {
    Ok(DeviceEvent {
        at: Timestamp::from_millis(row.get(0)?),
        device: DeviceAddress::new(
            bare_jid(row.get_ref(1)?.as_str()?, "device_log.jid")?,
            device_id(row.get(2)?, "device_log.device")?,
        ),
        kind: coded(row.get(3)?, DeviceEventKind::from_code, "device_log.kind")?,
        detail: row.get(4)?,
    })
}
