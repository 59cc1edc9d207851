//! The messages of an order's saga: decisions on its customer.

use lifecycle::effects::EventData;
use lifecycle::newtypes::wire_enum;
use serde::{Deserialize, Serialize};

use super::OrderId;
use crate::people::UserId;

/// A message of the saga: the decision on an order's customer, or the order's time-out.
///
/// The decision is read in any case and the id in either spelling. A message written by hand,
/// `{"orderID": "…", "orderType": "Approved"}`, is therefore understood too.
///
/// ```
/// # use domain::orders::{CreditOutcome, CreditResult};
/// let by_hand = r#"{"orderID": "0197f5a4-0000-7000-8000-00000000000a", "orderType": "Approved"}"#;
/// let read: CreditResult = serde_json::from_str(by_hand).unwrap();
/// assert_eq!(read.order_type, CreditOutcome::Approved);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditResult {
    /// The order.
    #[serde(alias = "orderID")]
    pub order_id: OrderId,
    /// The outcome of the check.
    #[serde(deserialize_with = "in_any_case")]
    pub order_type: CreditOutcome,
    /// The customer, for a fair share of the queue; absent in messages written by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
}

impl CreditResult {
    /// Whether the customer service sends it. Its decisions follow the event about the order, and so
    /// its mail; time-outs and decisions by hand may come before both.
    pub(super) fn follows_the_event(&self) -> bool {
        self.user_id.is_some() && self.order_type != CreditOutcome::TimedOut
    }
}

fn in_any_case<'de, D: serde::Deserializer<'de>>(input: D) -> Result<CreditOutcome, D::Error> {
    let word = String::deserialize(input)?;
    CreditOutcome::try_from(word.to_uppercase()).map_err(serde::de::Error::custom)
}

wire_enum! {
    /// The outcome of the credit check of a pending order.
    CreditOutcome {
        /// Its customer is approved.
        Approved = "APPROVED",
        /// Its customer is not approved.
        Rejected = "REJECTED",
        /// No decision came before the deadline.
        TimedOut = "TIMED_OUT",
    }
}

/// The customer service has decided on the customer of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomerDecided(pub CreditResult);

impl EventData for CustomerDecided {
    const TYPE: &'static str = "CustomerDecided";
}
