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
pub use facts::{AddressOwner, CustomerTier, OrderFacts};
pub use order::{Order, OrderCreated, OrderLine, OrderStatus, OrderView, SerialNumber, TakenFrom};
pub use order_id::OrderId;
pub use place::{PlacedOrder, place_order};
pub use saga::{Delivery, OrderOverdue, SettleFacts, is_announced_again, settle, takes_number};
pub use serial::SerialNumbers;
pub use summary::{Client, OrderSummary, OrderSummaryView, OrderedProduct};
pub use transitions::{OrderChange, Transition, TransitionResult};
