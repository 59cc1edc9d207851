//! The operations of a store's users: what customers, writers, partners, attackers and operators do.
//!
//! Each operation is a value, and needs no other operation: it opens the store and signs in itself. A
//! shrunk workload therefore leaves any of them out.

mod attackers;
mod caller;
mod catalogue;
mod customers;
mod newsroom;
mod odd;
mod operators;
mod partners;

use simulation::Millis;

pub use self::attackers::Attackers;
pub use self::catalogue::Catalogue;
pub use self::customers::Customers;
pub use self::newsroom::Newsroom;
pub use self::operators::Operators;
pub(crate) use self::operators::POISON;
pub use self::partners::Partners;

/// The time within which so many operations begin: two a second at most, and a quarter of an hour at
/// least.
fn day(operations: usize) -> Millis {
    let operations = u64::try_from(operations).unwrap_or(u64::MAX);
    Millis::seconds(900).max(Millis::seconds(operations.saturating_mul(10)))
}
