//! The operations of a store's users: customers, writers, partners, attackers and operators; and probes of
//! the store at rest.
//!
//! Each operation is a value, and needs no other operation: it opens the store and signs in, unless
//! another one has. A shrunk workload therefore leaves any of them out.

mod attackers;
mod caller;
mod catalogue;
mod customers;
mod day;
mod forgeries;
mod newsroom;
mod odd;
mod operators;
mod partners;
mod probes;

pub use self::attackers::{Attackers, Attempt};
pub use self::catalogue::{Catalogue, Change};
pub use self::customers::{Customers, Then, Visit};
pub use self::forgeries::Forgery;
pub use self::newsroom::{Edit, Newsroom};
pub(crate) use self::operators::POISON;
pub use self::operators::{Operators, Task};
pub use self::partners::{Call, Partners};
pub(crate) use self::probes::{PROBED, PROBING_CUSTOMER, PRODUCT_LIST, WALKED, orders_of_customer};
pub use self::probes::{Probe, Probes};
