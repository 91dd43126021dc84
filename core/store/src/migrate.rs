//! Bringing the schema up to date.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::OpenError;

/// Every migration, oldest first. The schema version is how many of them a database has seen.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_init.sql"),
    include_str!("migrations/0002_conversation_wishes.sql"),
    include_str!("migrations/0003_lease.sql"),
    include_str!("migrations/0004_search.sql"),
    include_str!("migrations/0005_sender_trust.sql"),
    include_str!("migrations/0006_announcement.sql"),
    include_str!("migrations/0007_import.sql"),
    include_str!("migrations/0008_push.sql"),
    include_str!("migrations/0009_search_beginnings.sql"),
    include_str!("migrations/0010_archive_ranges.sql"),
];

/// Newest schema that this version knows, and that of every database that it has open.
pub const KNOWN_VERSION: u32 = MIGRATIONS.len() as u32;

/// Runs what is missing, each migration in a transaction of its own.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    if schema_version(connection)? == KNOWN_VERSION {
        return Ok(());
    }
    for (migration, version) in MIGRATIONS.iter().zip(1_u32..) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Asked inside the transaction: another process may migrate at the same time.
        let found = schema_version(&transaction)?;
        if found > KNOWN_VERSION {
            return Err(OpenError::NewerSchema {
                found,
                known: KNOWN_VERSION,
            });
        }
        if found < version {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", version)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

/// The schema of a database, refused if it is newer than what is known here.
pub(crate) fn checked_version(connection: &Connection) -> Result<u32, OpenError> {
    match schema_version(connection)? {
        found if found > KNOWN_VERSION => Err(OpenError::NewerSchema {
            found,
            known: KNOWN_VERSION,
        }),
        found => Ok(found),
    }
}

fn schema_version(connection: &Connection) -> Result<u32, OpenError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_the_number_of_files_and_files_are_numbered() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".sql"))
            .collect();
        files.sort();
        assert_eq!(files.len(), MIGRATIONS.len());
        for (number, (file, listed)) in files.iter().zip(MIGRATIONS).enumerate() {
            assert!(file.starts_with(&format!("{:04}_", number + 1)), "{file}");
            let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
            assert_eq!(&text, listed, "{file} stands elsewhere in the list");
        }
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let schema = |connection: &Connection| -> Vec<String> {
            let mut statement = connection
                .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
                .unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let first = schema(&connection);
        migrate(&mut connection).unwrap();
        assert_eq!(schema(&connection), first);
        assert_eq!(schema_version(&connection).unwrap(), KNOWN_VERSION);
        let tables = first.iter().filter(|sql| sql.starts_with("CREATE TABLE"));
        assert!(tables.count() > 5);
    }

    #[test]
    fn a_failing_migration_leaves_the_version_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        // The name of the last table is taken: everything before it must be undone.
        connection
            .execute_batch("CREATE TABLE device_log (x)")
            .unwrap();
        assert!(migrate(&mut connection).is_err());
        assert_eq!(schema_version(&connection).unwrap(), 0);
        let tables: u32 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE type = 'table'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(tables, 1);
    }
}
