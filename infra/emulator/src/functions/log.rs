//! The log lines of functions.

use std::sync::Arc;

use serde_json::{Map, Value};

/// A log line: printed by a function's process, or written by the platform about it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct LogLine<'a> {
    /// The logical id of the function.
    pub function: &'a str,
    /// The execution environment.
    pub environment: &'a str,
    /// The source of the line.
    pub source: LogSource,
    /// The line, without its end.
    pub text: &'a str,
}

impl LogLine<'_> {
    /// Its fields, if it is a JSON object.
    pub(crate) fn fields(&self) -> Option<Map<String, Value>> {
        fields_of(self.text)
    }
}

/// The fields of a line that is a JSON object.
pub(crate) fn fields_of(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// The source of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSource {
    /// The function, on its standard output.
    Stdout,
    /// The function, on its standard error.
    Stderr,
    /// The platform, about the function.
    Platform,
}

/// The receiver of all log lines.
pub type LogSink = Arc<dyn Fn(&LogLine<'_>) + Send + Sync>;
