//! Orders.

mod draft;
#[cfg(test)]
mod interleavings;
mod news;
mod order;
mod place;
mod saga;
mod serial;
mod steps;
mod summary;

pub use draft::{OrderDraft, OrderItem, OrderItems, PaymentMethod, PlaceOrder, Quantity};
pub use news::{
    ApprovalLapsed, OrderApproved, OrderDeleted, OrderRejected, OrderState, OrderTimedOut,
};
pub use order::{Order, OrderCreated, OrderId, OrderLine, OrderStatus, OrderView, SerialNumber};
pub use place::{OrderFacts, place_order};
pub use saga::{Answer, CreditResult, CustomerDecided, OrderOverdue, settle};
pub use serial::SerialNumbers;
pub use steps::{Consequence, OrderChange, Step};
pub use summary::{Client, OrderSummary, OrderSummaryView, OrderedProduct};
