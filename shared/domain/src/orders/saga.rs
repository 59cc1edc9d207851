//! The saga of an order: the effects of the messages of its queue.

use lifecycle::effects::{Effects, Event, EventData, Message, Write};
use lifecycle::{DomainError, Moment, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    CreditOutcome, CreditResult, Order, OrderApproved, OrderChange, OrderState, OrderStatus,
    OrderSummary, SerialNumber, Transition, TransitionResult,
};
use crate::error_codes;
use crate::events::messages_about;
use crate::people::{Address, User};
use crate::resources::EMAILS;

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
    /// after its deadline, and then in one minute of five.
    pub fn is_due(order: &Order, now: Timestamp) -> bool {
        is_repeated_at(order.settle_by, now)
    }
}

/// The time after which an order that waits for its decision is announced again: usually it is
/// decided within a second.
const ANNOUNCED_WITHIN_S: i64 = 30;

/// Whether the run at this time announces an order again, which may not have been announced: the
/// order still waits for its decision. This is half a minute after it was placed, in the two minutes
/// after that, and then in one minute of five until its deadline. An order whose event has a row in
/// the outbox is never announced again.
pub fn is_announced_again(order: &Order, now: Timestamp) -> bool {
    let since = order.created_at.plus_seconds(ANNOUNCED_WITHIN_S);
    now < order.settle_by && is_repeated_at(since, now) && order.created_event_id.is_some()
}

/// Whether the run at this time repeats a message that is due since then: in the first three
/// minutes, and then in one minute of five.
///
/// The schedule runs once a minute. While the consumer of the message is down, a message per order
/// and run would fill its queue, and new messages would wait behind them.
///
/// The millisecond decides which of the five minutes it is. So each run has a fifth of the orders
/// that were placed together: if there were too many for the first runs, the others find places
/// later.
fn is_repeated_at(since: Timestamp, now: Timestamp) -> bool {
    let minutes = now.as_seconds().saturating_sub(since.as_seconds()) / 60;
    let turn = since.as_millis().rem_euclid(5);
    now >= since && (minutes < 3 || (minutes + turn) % 5 == 0)
}

impl EventData for OrderOverdue {
    const TYPE: &'static str = "OrderOverdue";
}

/// The facts for the effects of a saga message.
#[derive(Debug, Clone, Default)]
pub struct SettleFacts {
    /// The order.
    pub order: Option<Order>,
    /// The serial number, if the message [takes one](takes_number).
    pub number: Option<SerialNumber>,
    /// The other parts of the order's summary, for an approval; none if they cannot be read.
    pub delivery: Option<Delivery>,
}

/// The parts of an order's summary that are not in the order.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The customer; none for a user of an outside issuer.
    pub customer: Option<User>,
    /// The address that the order names.
    pub address: Address,
}

/// Whether a message gives its order a serial number. Stage 6 takes one only then, since a number
/// that is not used is left out.
pub fn takes_number(answer: &CreditResult, order: Option<&Order>) -> bool {
    let is_pending = order.is_some_and(|order| order.status == OrderStatus::Pending);
    is_pending && answer.order_type == CreditOutcome::Approved
}

/// The effects of a saga message. Only the first one that applies changes an order.
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
    facts: SettleFacts,
) -> Result<Effects, DomainError> {
    let SettleFacts { order, number, delivery } = facts;
    let order = order.ok_or(error_codes::ORDER_UNKNOWN)?;
    assert!(
        number.is_some() || !takes_number(answer, Some(&order)),
        "stage 6 takes a number for each approval of a pending order"
    );
    let step = match (answer.order_type, number) {
        // An earlier delivery has approved it, and may have left the summary to a message.
        (CreditOutcome::Approved, _) if order.status == OrderStatus::Approved => {
            let approved = Event::about(order.order_id, &OrderApproved(OrderState::from(&order)));
            return Ok(Effects::none().announce_all(messages_about(&approved)));
        }
        (CreditOutcome::Approved, Some(number)) => Transition::Approve(number),
        (CreditOutcome::Approved, None) => Transition::Lapse,
        (CreditOutcome::Rejected, _) => Transition::Reject,
        (CreditOutcome::TimedOut, _) => Transition::TimeOut,
    };
    let mail = (!answer.follows_the_event()).then(|| mail_about(&order)).flatten();
    Ok(match order.after(step, moment.now()) {
        TransitionResult::Changed(change) => {
            let effects = settled(&change, delivery.as_ref());
            mail.into_iter().fold(effects, Effects::message)
        }
        TransitionResult::Lapsed(event) => Effects::none().event(event),
        TransitionResult::None => Effects::none(),
    })
}

/// The effects of a change. The commit of an approval has the order's summary, and its event needs no
/// message then. If the summary cannot be made, the projection gets the event, and fails alone.
fn settled(change: &OrderChange, delivery: Option<&Delivery>) -> Effects {
    if change.order.status != OrderStatus::Approved {
        return change.effects();
    }
    let summary = delivery.and_then(|Delivery { customer, address }| {
        OrderSummary::of(&change.order, customer.as_ref(), address)
    });
    match summary {
        // Without a condition: the order has this version for the first time.
        Some(summary) => change.stored().write(Write::put(&summary)),
        None => change.stored().announce_all(messages_about(&change.event)),
    }
}

/// The message for the mail about an order that carries its event, sent before the order is closed:
/// afterwards nothing shows whether the event was announced. The mail's consumer recognises a
/// repeated one.
fn mail_about(order: &Order) -> Option<Message> {
    order.created_event_id.as_ref()?;
    let mut messages = messages_about(&order.created_event()).into_iter();
    messages.find(|message| message.queue == EMAILS)
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::QueueName;
    use serde_json::json;

    use super::*;
    use crate::examples::{ann, approved_order, home, moment, pending_order, read};
    use crate::resources::{ORDER_PROJECTIONS, ORDER_SUMMARIES, ORDERS, PRODUCTS};

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
        for (order_type, tables) in
            [("APPROVED", vec![ORDERS, ORDER_SUMMARIES]), ("REJECTED", vec![ORDERS, PRODUCTS])]
        {
            let pending = pending_order();
            let is_numbered = takes_number(&answer(order_type), Some(&pending));
            assert_eq!(is_numbered, order_type == "APPROVED");
            let effects = decide(order_type, Some(pending)).unwrap();
            let written: Vec<_> = effects.writes().iter().map(|write| write.table).collect();
            assert_eq!(written, tables, "{order_type}");
        }
        let closed = Order { status: OrderStatus::Rejected, ..pending_order() };
        assert!(!takes_number(&answer("APPROVED"), Some(&closed)));
        assert!(!takes_number(&answer("APPROVED"), None));
    }

    #[test]
    fn the_commit_of_an_approval_has_the_summary_or_leaves_it_to_the_projection() {
        let with = decide("APPROVED", Some(pending_order())).unwrap();
        assert!(announced(&with).is_empty());
        let approved = answer("APPROVED");
        let facts = facts(&approved, Some(pending_order()), None);
        let without = settle(&moment(), &approved, facts).unwrap();
        let written: Vec<_> = without.writes().iter().map(|write| write.table).collect();
        assert_eq!((written, announced(&without)), (vec![ORDERS], vec![ORDER_PROJECTIONS]));
        assert!(with.events().is_empty() && without.events().is_empty());
    }

    #[test]
    fn a_repeated_approval_only_repeats_its_announcement() {
        let effects = decide("APPROVED", Some(approved_order())).unwrap();
        assert_eq!((effects.writes().len(), announced(&effects)), (0, vec![ORDER_PROJECTIONS]));
    }

    #[test]
    fn a_time_out_and_a_decision_by_hand_do_not_overtake_the_mail() {
        let by_hand = |order_type| CreditResult { user_id: None, ..answer(order_type) };
        let overdue = Moment::new(pending_order().settle_by, [1; 32]);
        for (answer, mails) in [
            (answer("APPROVED"), 0),
            (answer("REJECTED"), 0),
            (answer("TIMED_OUT"), 1),
            (by_hand("APPROVED"), 1),
            (by_hand("REJECTED"), 1),
        ] {
            for (order, is_carried) in [
                (pending_order(), true),
                (Order { created_event_id: None, ..pending_order() }, false),
            ] {
                let facts = facts(&answer, Some(order.clone()), None);
                let effects = settle(&overdue, &answer, facts).unwrap();
                let mails = if is_carried { mails } else { 0 };
                assert_eq!(effects.messages().len(), mails, "{answer:?} {is_carried}");
                let of_order = messages_about(&order.created_event());
                let is_mail = |it: &Message| it.queue == EMAILS && of_order.contains(it);
                assert!(effects.messages().iter().all(is_mail), "{answer:?} {is_carried}");
            }
        }
    }

    #[test]
    fn an_order_that_waits_is_announced_after_a_minute_and_until_its_deadline() {
        let order = pending_order();
        let again_after = |s| is_announced_again(&order, order.created_at.plus_seconds(s));
        let minutes: Vec<i64> = (0..20).filter(|minute| again_after(minute * 60)).collect();
        assert_eq!(minutes, [1, 2, 3, 6, 11], "the deadline is after 15 minutes");
        assert!(!again_after(29) && again_after(30));
        // After ten minutes and a half it would be announced, if that were not its deadline.
        let until = |s| Order { settle_by: order.created_at.plus_seconds(s), ..order.clone() };
        let last = order.created_at.plus_seconds(630);
        assert!(is_announced_again(&until(631), last));
        assert!(!is_announced_again(&until(630), last));
        let of_outbox = Order { created_event_id: None, ..order.clone() };
        assert!(!is_announced_again(&of_outbox, order.created_at.plus_seconds(120)));
    }

    #[test]
    fn orders_without_a_place_in_their_first_runs_are_announced_before_their_deadline() {
        const PLACES: usize = 100;
        let order = pending_order();
        let placed_after = |ms| {
            let created_at = Timestamp::from_millis(order.created_at.as_millis() + ms);
            Order { created_at, settle_by: created_at.plus_seconds(900), ..order.clone() }
        };
        let mut waiting: Vec<Order> = (0..1_000).map(placed_after).collect();
        for minute in 0..14 {
            let now = order.created_at.plus_seconds(31 + 60 * minute);
            let mut places = PLACES;
            waiting.retain(|order| {
                let is_announced = places > 0 && is_announced_again(order, now);
                places -= usize::from(is_announced);
                !is_announced
            });
        }
        assert_eq!(waiting.len(), 0, "an announced order is decided on, and waits no longer");
    }

    #[test]
    fn a_late_approval_is_compensated_and_takes_no_number() {
        let closed = Order { status: OrderStatus::TimedOut, ..pending_order() };
        let effects = decide("APPROVED", Some(closed)).unwrap();
        assert_eq!((effects.writes().len(), effects.events().len()), (0, 1));
        assert_eq!(effects.events()[0].event_type, "ApprovalLapsed");
    }

    #[test]
    fn a_decision_on_an_unknown_order_is_refused() {
        assert_eq!(decide("APPROVED", None).unwrap_err().code, "ORDER_UNKNOWN");
    }

    fn decide(order_type: &str, order: Option<Order>) -> Result<Effects, DomainError> {
        let delivery = Some(Delivery { customer: Some(ann()), address: home() });
        settle(&moment(), &answer(order_type), facts(&answer(order_type), order, delivery))
    }

    /// The facts as stage 6 reads them.
    fn facts(
        answer: &CreditResult,
        order: Option<Order>,
        delivery: Option<Delivery>,
    ) -> SettleFacts {
        let number = takes_number(answer, order.as_ref()).then_some(SerialNumber::MAX);
        SettleFacts { order, number, delivery }
    }

    /// A message of the customer service, or of the schedule.
    fn answer(order_type: &str) -> CreditResult {
        let (id, user_id) = (pending_order().order_id, ann().user_id);
        read(json!({ "orderId": id, "orderType": order_type, "userId": user_id }))
    }

    fn announced(effects: &Effects) -> Vec<QueueName> {
        effects.announced().iter().map(|message| message.queue).collect()
    }
}
