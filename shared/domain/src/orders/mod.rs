//! Orders.

mod draft;
mod events;
mod order;
mod order_id;
mod place;
mod saga;
mod serial;
#[cfg(test)]
mod simulation;
mod summary;
mod transitions;

pub use draft::{OrderDraft, OrderItem, OrderItems, PaymentMethod, PlaceOrder, Quantity};
pub use events::{
    ApprovalLapsed, OrderApproved, OrderDeleted, OrderRejected, OrderState, OrderTimedOut,
};
pub use order::{Order, OrderCreated, OrderLine, OrderStatus, OrderView, SerialNumber, TakenFrom};
pub use order_id::OrderId;
pub use place::{OrderFacts, PlacedOrder, place_order};
pub use saga::{CreditOutcome, CreditResult, CustomerDecided, OrderOverdue, settle, takes_number};
pub use serial::SerialNumbers;
pub use summary::{Client, OrderSummary, OrderSummaryView, OrderedProduct};
pub use transitions::{OrderChange, Transition, TransitionResult};
