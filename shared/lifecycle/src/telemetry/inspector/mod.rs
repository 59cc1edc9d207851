//! The inspector: typed records about each request and record, for the local platform's console.
//!
//! A function writes them to the Unix stream socket whose path is in `LIFECYCLE_INSPECTOR`, one JSON
//! object a line. The local platform sets the variable; a deployment never does, because the records
//! contain the input of requests. Without it nothing is collected, and nothing is written. Deployed
//! programs have no inspector at all: see [`built`].
//!
//! The reader shall see as much as possible of a process that is killed: so a request is reported
//! when it begins, before stage 6, before each commit, and when it ends.

mod built;
#[cfg(test)]
#[cfg(unix)]
pub(crate) mod captured;
mod describe;
mod inspection;
mod records;
mod state;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod text;
mod writer;

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use self::built::HAS_INSPECTOR;
pub(crate) use self::describe::{caller_of, of_access, of_caller, of_facts, of_limit, of_subject};
use self::inspection::Open;
pub(crate) use self::inspection::{Ending, Inspection, RecordOf, RequestOf, Settlement};
use self::records::{Deferred, InspectorRecord, WorkRecord};
pub(crate) use self::records::{Judge, Stage};
use self::text::shortened;
use self::writer::Writer;
use super::observations::Observations;
use super::units::millis;

/// The maximum number of works in one record.
const WORKS_MAX: usize = 200;

/// The connection to the console, and the requests and records that are in progress.
#[derive(Debug)]
pub(crate) struct Inspector {
    writer: Arc<Writer>,
    open: Mutex<Vec<Weak<Open>>>,
}

/// A piece of deferred work that is done.
#[derive(Debug)]
pub(crate) struct Work {
    /// Its name for people.
    pub(crate) name: String,
    pub(crate) failed: Option<String>,
    pub(crate) took: Duration,
}

impl Inspector {
    /// Connects to the socket at this path; `None` if no process listens there, or the build has no
    /// inspector.
    pub(crate) fn connect(path: &str) -> Option<Arc<Self>> {
        if !HAS_INSPECTOR {
            return None;
        }
        match Writer::connect(path) {
            Ok(writer) => Some(Self::of(writer)),
            Err(error) => {
                tracing::debug!(%error, path, "inspector not connected; no records are written");
                None
            }
        }
    }

    fn of(writer: Writer) -> Arc<Self> {
        Arc::new(Self { writer: Arc::new(writer), open: Mutex::default() })
    }

    /// Begins the inspection of a request, whose first stage has run since `started`.
    pub(crate) fn request(
        &self,
        observations: &Arc<Observations>,
        request: &RequestOf<'_>,
    ) -> Inspection {
        if !HAS_INSPECTOR {
            return Inspection::default();
        }
        self.begun(Inspection::of_request(&self.writer, observations, request))
    }

    /// Begins the inspection of a record, which has been read since `started`.
    pub(crate) fn record(
        &self,
        observations: &Arc<Observations>,
        invocation: &str,
        started: Instant,
        record: RecordOf,
    ) -> Inspection {
        if !HAS_INSPECTOR {
            return Inspection::default();
        }
        let writer = &self.writer;
        self.begun(Inspection::of_record(writer, observations, invocation, started, record))
    }

    /// Reports the deferred work of an invocation, if there was any.
    pub(crate) fn deferred(&self, invocation: &str, work: Vec<Work>) {
        if !HAS_INSPECTOR || work.is_empty() {
            return;
        }
        let work = work.into_iter().take(WORKS_MAX).map(|work| WorkRecord {
            what: shortened(work.name),
            failed: work.failed.map(shortened),
            took_ms: millis(work.took),
        });
        let work = work.collect();
        self.writer.write(&InspectorRecord::Deferred(Deferred { invocation, work }));
    }

    /// Reports that the process exits because an invocation has blocked its thread.
    pub(crate) fn blocked(&self, invocation: &str, error: &str) {
        if !HAS_INSPECTOR {
            return;
        }
        for open in self.open_of(invocation) {
            Inspection::of(open).blocked(error);
        }
    }

    /// Notes that a request or record is in progress.
    fn begun(&self, inspection: Inspection) -> Inspection {
        let mut all = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.strong_count() > 0);
        all.extend(inspection.open().map(Arc::downgrade));
        drop(all);
        inspection
    }

    fn open_of(&self, invocation: &str) -> Vec<Arc<Open>> {
        let all = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all = all.iter().filter_map(Weak::upgrade);
        all.filter(|open| open.is_of(invocation)).collect()
    }
}
