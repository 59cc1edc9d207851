//! The tables, indexes, queues and upstreams of the application, by their logical names.
//!
//! The lifecycle names its tables itself (idempotency table, outbox, limits), and the crate `aws`
//! the secrets that it reads.

use lifecycle::Upstream;
use lifecycle::effects::QueueName;
use lifecycle::record::{IndexName, TableName};

/// Users and the claims to their e-mail addresses.
pub const USERS: TableName = TableName::new("users");
/// E-mail addresses that bounced or complained.
pub const MAIL_ADDRESSES: TableName = TableName::new("mail_addresses");
/// Postal addresses.
pub const ADDRESSES: TableName = TableName::new("addresses");
/// Products and the claims to their names.
pub const PRODUCTS: TableName = TableName::new("products");
/// Orders.
pub const ORDERS: TableName = TableName::new("orders");
/// The read model of customers' orders.
pub const ORDER_SUMMARIES: TableName = TableName::new("order_summaries");
/// Reservations of customers' credit.
pub const CREDITS: TableName = TableName::new("credits");
/// Counters of serial numbers.
pub const COUNTERS: TableName = TableName::new("counters");
/// The last alert about each kind of failure.
pub const NOTICES: TableName = TableName::new("notices");
/// Articles.
pub const ARTICLES: TableName = TableName::new("articles");
/// Objects that are online and were received recently.
pub const OBJECTS: TableName = TableName::new("objects");
/// The parameters of the business rules.
pub const SETTINGS: TableName = TableName::new("settings");
/// Audit log of calls to third-party APIs (best effort).
pub const COMMUNICATIONS: TableName = TableName::new("communications");

/// All products, and all orders, by the time of their creation.
pub const BY_CREATION: IndexName = IndexName::new("by_creation");
/// The summaries of approved orders, by their customer and the time of their creation.
pub const BY_CUSTOMER: IndexName = IndexName::new("by_customer");
/// The pending orders, by their deadline.
pub const BY_DEADLINE: IndexName = IndexName::new("by_deadline");
/// The pending communications, by the time of their beginning.
pub const BY_PENDING: IndexName = IndexName::new("by_pending");

/// Queues by their constants, and the list of all. `ops dead-letters` accepts the names in the list.
macro_rules! queues {
    ($($(#[$doc:meta])+ $queue:ident = $name:literal;)+) => {
        $(
            $(#[$doc])+
            pub const $queue: QueueName = QueueName::new($name);
        )+

        /// All queues.
        pub const QUEUES: &[QueueName] = &[$($queue),+];
    };
}

queues! {
    /// E-mails to send.
    EMAILS = "emails";
    /// Reports of the mail service about mails.
    MAIL_EVENTS = "mail_events";
    /// Orders whose credit has to be checked or released.
    CUSTOMER_APPROVALS = "customer_approvals";
    /// Credit decisions and time-outs of pending orders.
    CUSTOMER_SAGA = "customer_saga";
    /// Orders whose summaries have to be updated.
    ORDER_PROJECTIONS = "order_projections";
    /// Failures, and alerts that are due to operators.
    NOTIFICATIONS = "notifications";
    /// Callbacks whose objects have to be looked up.
    CALLBACKS = "callbacks";
    /// Objects to remove at the end of their lifetime, unless they were received again.
    OBJECT_EXPIRIES = "object_expiries";
}

/// The partner's catalogue.
pub const PARTNER: Upstream = Upstream::new("partner");
/// The object service, which knows whether an object is online.
pub const OBJECT_SERVICE: Upstream = Upstream::new("objects");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const TEMPLATE: &str = include_str!("../../../template.yaml");

    #[test]
    fn the_queues_of_the_template_are_all_listed_and_no_others() {
        let ids =
            TEMPLATE.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix("Queue:"));
        let ids: BTreeSet<_> =
            ids.filter(|id| !id.ends_with("DeadLetter")).map(str::to_owned).collect();
        let listed: BTreeSet<_> = QUEUES.iter().map(|queue| in_camel_case(queue.name())).collect();
        assert_eq!(ids, listed, "declare a new queue in domain::resources");
    }

    fn in_camel_case(name: &str) -> String {
        let word = |word: &str| word[..1].to_uppercase() + &word[1..];
        name.split('_').map(word).collect()
    }
}
