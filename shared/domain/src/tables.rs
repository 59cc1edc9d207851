//! The tables, indexes, queues and upstreams of the application, by their logical names.
//!
//! The lifecycle's own tables (ledger, outbox, limits) are named there; the secrets are named by
//! the adapters that read them.

use lifecycle::Upstream;
use lifecycle::effects::Queue;
use lifecycle::record::{Index, Table};

/// Users and the claims to their e-mail addresses.
pub const USERS: Table = Table::new("users");
/// What is known of mail to e-mail addresses.
pub const MAIL_ADDRESSES: Table = Table::new("mail_addresses");
/// Addresses.
pub const ADDRESSES: Table = Table::new("addresses");
/// Products and the claims to their names.
pub const PRODUCTS: Table = Table::new("products");
/// Orders.
pub const ORDERS: Table = Table::new("orders");
/// The projection of orders that their customers look at.
pub const ORDER_SUMMARIES: Table = Table::new("order_summaries");
/// What is reserved of customers' credit.
pub const CREDITS: Table = Table::new("credits");
/// Numbers that are given one after the other.
pub const COUNTERS: Table = Table::new("counters");
/// What operators were told of, kind by kind.
pub const NOTICES: Table = Table::new("notices");
/// Articles.
pub const ARTICLES: Table = Table::new("articles");
/// Objects that were seen a moment ago and are online.
pub const OBJECTS: Table = Table::new("objects");
/// The parameters of the business rules.
pub const SETTINGS: Table = Table::new("settings");
/// What was said to other people's services.
pub const COMMUNICATIONS: Table = Table::new("communications");

/// All products, and all orders, by the time of their creation.
pub const BY_CREATION: Index = Index::new("by_creation");
/// The summaries of approved orders, by their customer and the time of their creation.
pub const BY_CUSTOMER: Index = Index::new("by_customer");
/// The orders that wait, by the time until which they do.
pub const BY_DEADLINE: Index = Index::new("by_deadline");
/// The communications that are not over, by the time of their beginning.
pub const BY_PENDING: Index = Index::new("by_pending");

/// What somebody is to be mailed about.
pub const EMAILS: Queue = Queue::new("emails");
/// What the mail service reports of mails.
pub const MAIL_EVENTS: Queue = Queue::new("mail_events");
/// Orders whose customer is to be approved.
pub const CUSTOMER_APPROVALS: Queue = Queue::new("customer_approvals");
/// What is said about orders that wait.
pub const CUSTOMER_SAGA: Queue = Queue::new("customer_saga");
/// Orders whose summaries have to be made anew.
pub const ORDER_PROJECTIONS: Queue = Queue::new("order_projections");
/// What fails, for operators.
pub const NOTIFICATIONS: Queue = Queue::new("notifications");
/// Callbacks whose objects are to be looked up.
pub const CALLBACKS: Queue = Queue::new("callbacks");
/// Objects that are gone unless they are received again, as soon as they are.
pub const OBJECT_EXPIRIES: Queue = Queue::new("object_expiries");

/// All queues: the letters of each can be redriven.
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

/// Other people's catalogue.
pub const PARTNER: Upstream = Upstream::new("partner");
/// The service that knows which objects are online.
pub const OBJECT_SERVICE: Upstream = Upstream::new("objects");
