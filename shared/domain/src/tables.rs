//! The tables, indexes, queues and upstreams of the application, by their logical names.
//!
//! The lifecycle names its tables itself (idempotency table, outbox, limits); the adapters name the
//! secrets that they read.

use lifecycle::Upstream;
use lifecycle::effects::Queue;
use lifecycle::record::{Index, Table};

/// Users and the claims to their e-mail addresses.
pub const USERS: Table = Table::new("users");
/// E-mail addresses that bounced or complained.
pub const MAIL_ADDRESSES: Table = Table::new("mail_addresses");
/// Postal addresses.
pub const ADDRESSES: Table = Table::new("addresses");
/// Products and the claims to their names.
pub const PRODUCTS: Table = Table::new("products");
/// Orders.
pub const ORDERS: Table = Table::new("orders");
/// The read model of customers' orders.
pub const ORDER_SUMMARIES: Table = Table::new("order_summaries");
/// Reservations of customers' credit.
pub const CREDITS: Table = Table::new("credits");
/// Counters of serial numbers.
pub const COUNTERS: Table = Table::new("counters");
/// The last alert about each kind of failure.
pub const NOTICES: Table = Table::new("notices");
/// Articles.
pub const ARTICLES: Table = Table::new("articles");
/// Objects that are online and were received recently.
pub const OBJECTS: Table = Table::new("objects");
/// The parameters of the business rules.
pub const SETTINGS: Table = Table::new("settings");
/// Audit log of calls to third-party APIs (best effort).
pub const COMMUNICATIONS: Table = Table::new("communications");

/// All products, and all orders, by the time of their creation.
pub const BY_CREATION: Index = Index::new("by_creation");
/// The summaries of approved orders, by their customer and the time of their creation.
pub const BY_CUSTOMER: Index = Index::new("by_customer");
/// The pending orders, by their deadline.
pub const BY_DEADLINE: Index = Index::new("by_deadline");
/// The pending communications, by the time of their beginning.
pub const BY_PENDING: Index = Index::new("by_pending");

/// E-mails to send.
pub const EMAILS: Queue = Queue::new("emails");
/// Reports of the mail service about mails.
pub const MAIL_EVENTS: Queue = Queue::new("mail_events");
/// Orders whose credit has to be checked or released.
pub const CUSTOMER_APPROVALS: Queue = Queue::new("customer_approvals");
/// Credit decisions and time-outs of pending orders.
pub const CUSTOMER_SAGA: Queue = Queue::new("customer_saga");
/// Orders whose summaries have to be updated.
pub const ORDER_PROJECTIONS: Queue = Queue::new("order_projections");
/// Failures, and alerts that are due to operators.
pub const NOTIFICATIONS: Queue = Queue::new("notifications");
/// Callbacks whose objects have to be looked up.
pub const CALLBACKS: Queue = Queue::new("callbacks");
/// Objects to remove at the end of their lifetime, unless they were received again.
pub const OBJECT_EXPIRIES: Queue = Queue::new("object_expiries");

/// All queues. `ops dead-letters` accepts their names.
pub const QUEUES: &[Queue] = &[
    EMAILS,
    MAIL_EVENTS,
    CUSTOMER_APPROVALS,
    CUSTOMER_SAGA,
    ORDER_PROJECTIONS,
    NOTIFICATIONS,
    CALLBACKS,
    OBJECT_EXPIRIES,
];

/// The partner's catalogue.
pub const PARTNER: Upstream = Upstream::new("partner");
/// The object service, which knows whether an object is online.
pub const OBJECT_SERVICE: Upstream = Upstream::new("objects");
