//! Ids of orders.

use lifecycle::newtypes::uuid_id;

uuid_id! {
    /// The id of an order.
    OrderId
}
