//! Orders.

mod draft;
mod order;
mod place;

pub use draft::{OrderDraft, OrderItem, OrderItems, PaymentMethod, PlaceOrder, Quantity};
pub use order::{Order, OrderCreated, OrderId, OrderLine, OrderStatus, OrderView};
pub use place::{OrderFacts, place_order};
