//! The end of stream records: after 24 hours, as on AWS, and not before a thousand newer ones.
//!
//! The embedded tables keep all of these records, and read them for each new one. So the
//! database gets a trigger that deletes old records, and an index that finds the last number.

use std::sync::Arc;

use dynoxide::storage::Storage;
use dynoxide::{Database, DynoxideError};
use uuid::Uuid;

use crate::clock::Clock;

/// The times of records are seconds of the tables' clock. A clock that is moved by a day leaves no time
/// to read the last records, so they stay. A record deletes two at most: more never wait for long.
const RETENTION: &str = "
    CREATE INDEX IF NOT EXISTS emulator_stream_numbers
        ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
    CREATE TRIGGER IF NOT EXISTS emulator_stream_retention AFTER INSERT ON _stream_records BEGIN
        DELETE FROM _stream_records
        WHERE id IN (SELECT id FROM _stream_records ORDER BY id LIMIT 2)
            AND id <= NEW.id - 1000
            AND created_at < NEW.created_at - 24 * 60 * 60;
    END;
";

/// Opens the tables in a file.
pub(super) fn in_file(path: &str) -> Result<Database, DynoxideError> {
    prepared(path)?;
    Database::new(path)
}

/// Creates tables in memory, with the times of a clock.
pub(super) fn in_memory(clock: &Clock) -> Result<Database, DynoxideError> {
    // Only a database with a name can be prepared. It ends with its last connection.
    let name = format!("file:{}?mode=memory&cache=shared", Uuid::new_v4());
    let _prepared = prepared(&name)?;
    let database = Database::memory_with_clock(Arc::new(clock.clone()))?;
    database.restore_from(&name)?;
    Ok(database)
}

fn prepared(path: &str) -> Result<Storage, DynoxideError> {
    let storage = Storage::new(path)?;
    storage.conn().execute_batch(RETENTION)?;
    Ok(storage)
}
