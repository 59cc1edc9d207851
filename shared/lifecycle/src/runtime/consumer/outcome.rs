//! The results of processing a record.

use crate::telemetry::inspector::Settlement;

/// The result of processing a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordOutcome {
    /// It had its effects.
    Processed,
    /// A duplicate: it had its effects earlier.
    Duplicate,
    /// A business rule rejected it; it is remembered as processed.
    Rejected,
    /// A queue refused one of its messages because of its content; the replacement effects were
    /// committed.
    Undeliverable,
    /// Unparseable; moved to the dead-letter queue.
    DeadLettered,
}

impl RecordOutcome {
    /// The outcome in metrics and log lines. These words are part of the contract with dashboards.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Processed => "consumed",
            Self::Duplicate => "repeated",
            Self::Rejected => "refused",
            Self::Undeliverable => "undeliverable",
            Self::DeadLettered => "buried",
        }
    }

    /// The outcome for the inspector.
    pub(super) fn settlement(self) -> Settlement {
        match self {
            Self::Processed => Settlement::Processed,
            Self::Rejected | Self::Undeliverable => Settlement::Rejected,
            Self::Duplicate => Settlement::Duplicate,
            Self::DeadLettered => Settlement::DeadLettered,
        }
    }
}
