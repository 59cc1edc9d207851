//! Ids of orders.

use crate::newtypes::uuid_id;

uuid_id! {
    /// The id of an order.
    OrderId
}
