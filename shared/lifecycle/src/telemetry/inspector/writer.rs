//! The socket of the inspector: one line a record, with a bounded wait.

use std::io::{self, ErrorKind, Write};
#[cfg(not(unix))]
use std::net::TcpStream as Stream;
#[cfg(unix)]
use std::os::unix::net::UnixStream as Stream;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::records::InspectorRecord;

/// The maximum length of a line. Texts are cut so that records are shorter.
const LINE_BYTES_MAX: usize = 256 * 1024;
/// The maximum wait for a reader that does not keep up. Until it does again, nothing waits for it.
const WAIT_MAX: Duration = Duration::from_millis(5);
/// The length of one write, which waits on its own.
const CHUNK_BYTES: usize = 16 * 1024;

/// Writes records; drops records that do not fit the reader's buffer.
#[derive(Debug)]
pub(super) struct Writer(Mutex<Connection>);

#[derive(Debug)]
struct Connection {
    stream: Stream,
    /// The rest of a line whose first part is written.
    rest: Vec<u8>,
    /// Whether the reader did not keep up at the last write.
    is_slow: bool,
    /// Whether the reader is gone.
    is_closed: bool,
}

impl Writer {
    #[cfg(unix)]
    pub(super) fn connect(path: &str) -> io::Result<Self> {
        Self::of(Stream::connect(path)?)
    }

    #[cfg(not(unix))]
    pub(super) fn connect(_: &str) -> io::Result<Self> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn of(stream: Stream) -> io::Result<Self> {
        stream.set_write_timeout(Some(WAIT_MAX))?;
        let connection = Connection { stream, rest: Vec::new(), is_slow: false, is_closed: false };
        Ok(Self(Mutex::new(connection)))
    }

    pub(super) fn write(&self, record: &InspectorRecord<'_>) {
        let Ok(mut line) = serde_json::to_vec(record) else { return };
        line.push(b'\n');
        if line.len() <= LINE_BYTES_MAX {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(line);
        }
    }
}

impl Connection {
    /// Writes a line, or as much of it as there is room for. A line is dropped if the one before it
    /// is not complete yet.
    fn write(&mut self, line: Vec<u8>) {
        let until = Instant::now() + WAIT_MAX;
        let is_written = self.flush(until) && {
            self.rest = line;
            self.flush(until)
        };
        if is_written == self.is_slow && !self.is_closed {
            self.is_slow = !is_written;
            self.is_closed = self.stream.set_nonblocking(self.is_slow).is_err();
        }
    }

    /// Writes the rest of the last line; returns whether it is complete.
    fn flush(&mut self, until: Instant) -> bool {
        while !self.rest.is_empty() && !self.is_closed {
            let chunk = &self.rest[..self.rest.len().min(CHUNK_BYTES)];
            match self.stream.write(chunk) {
                Ok(0) => self.is_closed = true,
                Ok(written) => {
                    self.rest.drain(..written);
                    if !self.rest.is_empty() && Instant::now() >= until {
                        return false;
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return false,
                    _ => self.is_closed = true,
                },
            }
        }
        !self.is_closed
    }
}
