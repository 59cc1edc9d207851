//! Orders.

mod credit_result;
mod draft;
mod events;
mod facts;
mod order;
mod order_id;
mod place;
mod saga;
mod serial;
#[cfg(test)]
mod simulation;
mod summary;
mod transitions;

pub use credit_result::{CreditOutcome, CreditResult, CustomerDecided};
pub use draft::{OrderDraft, OrderItem, OrderItems, PaymentMethod, PlaceOrder, Quantity};
pub use events::{
    ApprovalLapsed, OrderApproved, OrderDeleted, OrderRejected, OrderState, OrderTimedOut,
};
pub use facts::{AddressOwner, CustomerTier, OfferedProduct, OrderFacts};
pub use order::{Order, OrderCreated, OrderLine, OrderStatus, OrderView, SerialNumber};
pub use order_id::OrderId;
pub use place::place_order;
pub use saga::{Delivery, OrderOverdue, SettleFacts, announced_again, settle};
pub use serial::SerialNumbers;
pub use summary::{Client, OrderSummary, OrderSummaryView, OrderedProduct};
pub use transitions::{OrderChange, Transition, TransitionResult};
