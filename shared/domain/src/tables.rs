//! The tables and queues of the application, by their logical names.
//!
//! The lifecycle's own tables (ledger, outbox, limits) are named there; the secrets are named by
//! the adapters that read them.

use lifecycle::effects::Queue;
use lifecycle::record::Table;

/// Users and the claims to their e-mail addresses.
pub const USERS: Table = Table::new("users");
/// Addresses.
pub const ADDRESSES: Table = Table::new("addresses");
/// Products and the claims to their names.
pub const PRODUCTS: Table = Table::new("products");
/// Orders.
pub const ORDERS: Table = Table::new("orders");
/// The parameters of the business rules.
pub const SETTINGS: Table = Table::new("settings");

/// What somebody is to be mailed about.
pub const EMAILS: Queue = Queue::new("emails");
/// Orders whose customer is to be approved.
pub const CUSTOMER_APPROVALS: Queue = Queue::new("customer_approvals");
