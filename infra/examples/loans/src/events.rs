//! The events of loans, and the queues that subscribe to them.

use lifecycle::effects::{EventData, QueueName};
use lifecycle::relay::Subscriptions;
use serde::{Deserialize, Serialize};

use crate::LoanId;
use crate::resources::LOAN_EVENTS;

/// A loan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoanMade {
    /// The loan.
    pub loan_id: LoanId,
}

impl EventData for LoanMade {
    const TYPE: &'static str = "LoanMade";
}

/// The book of a loan was not returned in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoanOverdue {
    /// The loan.
    pub loan_id: LoanId,
}

impl EventData for LoanOverdue {
    const TYPE: &'static str = "LoanOverdue";
}

/// The queues that subscribe to the library's events.
pub struct LibraryEvents;

impl Subscriptions for LibraryEvents {
    const QUEUES: &'static [QueueName] = &[LOAN_EVENTS];

    fn subscribers(event_type: &str) -> &'static [QueueName] {
        match event_type {
            LoanMade::TYPE | LoanOverdue::TYPE => &[LOAN_EVENTS],
            _ => &[],
        }
    }
}
