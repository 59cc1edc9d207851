//! Steps of the simulation.

use crate::orders::CreditOutcome;

/// A step of the simulation. An index is taken modulo the number of present entries.
#[derive(Debug, Clone)]
pub(super) enum SimEvent {
    /// One of two customers orders this many pieces.
    Order { customer: usize, quantity: i64 },
    /// A cancellation of an order begins and reads its facts; the commit comes later.
    Cancel(usize),
    /// A message is delivered, for the first time or again, and its facts are read.
    Deliver(usize),
    /// Work that has read its facts commits. If the facts have changed, it reads them again.
    Commit(usize),
    /// Work that has read its facts crashes.
    Crash(usize),
    /// An operator sends a decision by hand.
    Decided(usize, CreditOutcome),
    /// Time passes, in seconds.
    Wait(i64),
    /// The schedule looks for overdue orders.
    Expire,
}
