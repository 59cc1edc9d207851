//! The events about an order after it has been placed.

use lifecycle::Timestamp;
use lifecycle::effects::EventData;
use serde::{Deserialize, Serialize};

use super::{Order, OrderId, OrderStatus, SerialNumber};
use crate::catalogue::Money;
use crate::people::UserId;

/// The state of an order at the time of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderState {
    /// The order.
    pub order_id: OrderId,
    /// The customer.
    pub user_id: UserId,
    /// Its status.
    pub status: OrderStatus,
    /// The serial number, given on approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<SerialNumber>,
    /// The total price.
    pub total: Money,
    /// The version of the order. A higher version is newer.
    pub version: u64,
    /// When the order changed to this state.
    pub updated_at: Timestamp,
}

impl From<&Order> for OrderState {
    fn from(order: &Order) -> Self {
        Self {
            order_id: order.order_id,
            user_id: order.user_id,
            status: order.status,
            serial_number: order.serial_number,
            total: order.total,
            version: order.version,
            updated_at: order.updated_at,
        }
    }
}

/// Defines an event with the state of an order.
macro_rules! news {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub OrderState);

        impl EventData for $name {
            const TYPE: &'static str = stringify!($name);
        }
    };
}

news! {
    /// The customer is approved, and the order has a serial number.
    OrderApproved
}

news! {
    /// The customer is not approved.
    OrderRejected
}

news! {
    /// The deadline passed without a decision on the customer.
    OrderTimedOut
}

news! {
    /// The order was cancelled.
    OrderDeleted
}

news! {
    /// The customer was approved for an order that is already closed: the credit reserved for it
    /// can be released.
    ApprovalLapsed
}
