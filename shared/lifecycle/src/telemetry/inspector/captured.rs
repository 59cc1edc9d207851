//! Captures the records of an inspector, for tests.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use serde_json::Value;

use super::{Inspector, Writer};

/// The reader of an inspector's records.
pub(crate) struct Captured(UnixStream);

impl Captured {
    pub(crate) fn start() -> (Arc<Inspector>, Self) {
        let (stream, reader) = UnixStream::pair().unwrap();
        reader.set_nonblocking(true).unwrap();
        (Inspector::of(Writer::of(stream).unwrap()), Self(reader))
    }

    /// Returns the records since the last call.
    pub(crate) fn records(&mut self) -> Vec<Value> {
        let mut read = Vec::new();
        // The error means that there is nothing more at the moment.
        let _ = self.0.read_to_end(&mut read);
        let read = String::from_utf8(read).unwrap();
        read.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the only record of this type since the last call.
    pub(crate) fn only(&mut self, kind: &str) -> Value {
        let records = self.records().into_iter().filter(|record| record["type"] == kind);
        let [record] = <[Value; 1]>::try_from(records.collect::<Vec<_>>()).unwrap();
        record
    }
}
