//! The tables, indexes and queues of the library, by their logical names.

use lifecycle::effects::QueueName;
use lifecycle::record::{IndexName, TableName};

/// Books, with the number of copies on the shelf.
pub const BOOKS: TableName = TableName::new("books");
/// Loans.
pub const LOANS: TableName = TableName::new("loans");

/// The loans of a member, by the time at which they were made.
pub const BY_MEMBER: IndexName = IndexName::new("by_member");
/// The loans that are neither returned nor overdue, by the time at which they are due.
pub const BY_DUE: IndexName = IndexName::new("by_due");

/// Events of loans, for `remind`.
pub const LOAN_EVENTS: QueueName = QueueName::new("loan_events");
