//! The saga of an order: the messages of its queue, and their effects.

use lifecycle::effects::{Effects, EventData};
use lifecycle::newtypes::wire_enum;
use lifecycle::{DomainError, Moment, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Order, OrderId, OrderStatus, SerialNumber, Transition, TransitionResult};
use crate::error_codes;
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

/// An order is still pending after its deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderOverdue(pub CreditResult);

impl OrderOverdue {
    /// The time-out message of an order.
    pub fn of(order: &Order) -> Self {
        let (order_id, user_id) = (order.order_id, Some(order.user_id));
        Self(CreditResult { order_id, order_type: CreditOutcome::TimedOut, user_id })
    }

    /// Whether the run at this time sends a message about an order: in the first three minutes
    /// after its deadline, and then every fifth minute.
    ///
    /// The schedule runs once a minute. While the saga's consumer is down, a message per order and
    /// run would fill its queue, and new decisions would wait behind them.
    pub fn is_due(order: &Order, now: Timestamp) -> bool {
        let overdue_s = now.as_seconds().saturating_sub(order.settle_by.as_seconds());
        let minutes = overdue_s / 60;
        now >= order.settle_by && (minutes < 3 || minutes % 5 == 0)
    }
}

impl EventData for OrderOverdue {
    const TYPE: &'static str = "OrderOverdue";
}

/// Whether a message gives its order a serial number. Stage 6 takes one only then, since a number
/// that is not used is left out.
pub fn takes_number(answer: &CreditResult, order: Option<&Order>) -> bool {
    let is_pending = order.is_some_and(|order| order.status == OrderStatus::Pending);
    is_pending && answer.order_type == CreditOutcome::Approved
}

/// The effects of a saga message. Only the first one that applies changes an order. `number` is there
/// if the message [takes one](takes_number).
///
/// # Errors
///
/// If there is no such order: messages follow the commit of their order, so it cannot appear
/// later.
///
/// # Panics
///
/// If a pending order is approved without a number.
pub fn settle(
    moment: &Moment,
    answer: &CreditResult,
    order: Option<Order>,
    number: Option<SerialNumber>,
) -> Result<Effects, DomainError> {
    let order = order.ok_or(error_codes::ORDER_UNKNOWN)?;
    assert!(
        number.is_some() || !takes_number(answer, Some(&order)),
        "stage 6 takes a number for each approval of a pending order"
    );
    let step = match (answer.order_type, number) {
        (CreditOutcome::Approved, Some(number)) => Transition::Approve(number),
        (CreditOutcome::Approved, None) => Transition::Lapse,
        (CreditOutcome::Rejected, _) => Transition::Reject,
        (CreditOutcome::TimedOut, _) => Transition::TimeOut,
    };
    Ok(match order.after(step, moment.now()) {
        TransitionResult::Changed(change) => change.effects(),
        TransitionResult::Lapsed(event) => Effects::none().event(event),
        TransitionResult::None => Effects::none(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::examples::{moment, pending_order, read};
    use crate::resources::{ORDERS, PRODUCTS};

    #[test]
    fn a_decision_is_read_in_any_case_and_either_spelling_of_the_id() {
        let id = pending_order().order_id;
        for (json, answer) in [
            (json!({ "orderId": id, "orderType": "APPROVED" }), Some(CreditOutcome::Approved)),
            (json!({ "orderID": id, "orderType": "Approved" }), Some(CreditOutcome::Approved)),
            (json!({ "orderID": id, "orderType": "rejected" }), Some(CreditOutcome::Rejected)),
            (json!({ "orderId": id, "orderType": "TIMED_OUT" }), Some(CreditOutcome::TimedOut)),
            (json!({ "orderId": id, "orderType": "PENDING" }), None),
            (json!({ "orderId": "1", "orderType": "APPROVED" }), None),
            (json!({ "orderId": id }), None),
        ] {
            let read: Result<CreditResult, _> = serde_json::from_value(json.clone());
            assert_eq!(read.ok().map(|read| read.order_type), answer, "{json}");
        }
    }

    #[test]
    fn an_overdue_order_is_due_in_its_first_3_minutes_and_every_fifth() {
        let order = pending_order();
        let due_after = |s| OrderOverdue::is_due(&order, order.settle_by.plus_seconds(s));
        assert!(!due_after(-1), "before the deadline");
        let due: Vec<i64> = (0..21).filter(|minute| due_after(minute * 60)).collect();
        assert_eq!(due, [0, 1, 2, 5, 10, 15, 20]);
        // At any second of the minute.
        assert!(due_after(5 * 60 + 59) && !due_after(6 * 60));
        let hours = (0..48 * 60).filter(|minute| due_after(minute * 60)).count();
        assert_eq!(hours, 2 + 48 * 12, "one in five runs in the long term");
    }

    #[test]
    fn only_the_approval_of_a_pending_order_takes_a_serial_number() {
        for (answer, tables) in [("APPROVED", vec![ORDERS]), ("REJECTED", vec![ORDERS, PRODUCTS])] {
            let pending = pending_order();
            assert_eq!(takes_number(&said(answer), Some(&pending)), answer == "APPROVED");
            let effects = settled(answer, Some(pending)).unwrap();
            let written: Vec<_> = effects.writes().iter().map(|write| write.table).collect();
            assert_eq!(written, tables, "{answer}");
        }
        let closed = Order { status: OrderStatus::Rejected, ..pending_order() };
        assert!(!takes_number(&said("APPROVED"), Some(&closed)));
        assert!(!takes_number(&said("APPROVED"), None));
    }

    #[test]
    fn a_late_approval_is_compensated_and_takes_no_number() {
        let closed = Order { status: OrderStatus::TimedOut, ..pending_order() };
        let effects = settled("APPROVED", Some(closed)).unwrap();
        assert_eq!((effects.writes().len(), effects.events().len()), (0, 1));
        assert_eq!(effects.events()[0].event_type, "ApprovalLapsed");
    }

    #[test]
    fn a_decision_on_an_unknown_order_is_refused() {
        assert_eq!(settled("APPROVED", None).unwrap_err().code, "ORDER_UNKNOWN");
    }

    fn said(answer: &str) -> CreditResult {
        read(json!({ "orderId": pending_order().order_id, "orderType": answer }))
    }

    fn settled(answer: &str, order: Option<Order>) -> Result<Effects, DomainError> {
        let answer = said(answer);
        let number = takes_number(&answer, order.as_ref()).then_some(SerialNumber::MAX);
        settle(&moment(), &answer, order, number)
    }
}
