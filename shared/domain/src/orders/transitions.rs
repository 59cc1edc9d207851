//! The transitions of an order's status after it has been placed, and their effects.

use lifecycle::Timestamp;
use lifecycle::effects::{Effects, Event, EventData, Write};

use super::events::{ApprovalLapsed, OrderApproved, OrderDeleted, OrderRejected, OrderTimedOut};
use super::{Order, OrderState, OrderStatus, SerialNumber};

/// A transition of an order's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// Its customer is approved; the order would get this number.
    Approve(SerialNumber),
    /// Its customer is approved too late: the order was not pending, so no number was taken.
    Lapse,
    /// Its customer is not approved.
    Reject,
    /// Its deadline has passed without a decision.
    TimeOut,
    /// It is cancelled.
    Cancel,
}

/// The result of a transition.
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is returned")]
#[derive(Debug, Clone, PartialEq)]
pub enum TransitionResult {
    /// The order changes.
    Changed(OrderChange),
    /// The order is closed and stays so: the customer service has to release the approved credit.
    Lapsed(Event),
    /// No change: the transition does not apply to this status.
    None,
}

/// A changed order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderChange {
    /// The order after the change.
    pub order: Order,
    /// The event about the change.
    pub(super) event: Event,
}

impl Order {
    /// The result of a transition at this time.
    pub fn after(self, step: Transition, now: Timestamp) -> TransitionResult {
        use OrderStatus::{Approved, Cancelled, Pending, Rejected, TimedOut};
        match (self.status, step) {
            (Pending, Transition::Approve(number)) => {
                let order = Self { serial_number: Some(number), ..self };
                order.becomes(Approved, now, OrderApproved)
            }
            (Pending, Transition::Reject) => self.becomes(Rejected, now, OrderRejected),
            (Pending, Transition::TimeOut) if now >= self.settle_by => {
                self.becomes(TimedOut, now, OrderTimedOut)
            }
            (Approved, Transition::Cancel) => self.becomes(Cancelled, now, OrderDeleted),
            // A cancelled order does not lapse: its cancellation has released the credit.
            (Rejected | TimedOut, Transition::Approve(_) | Transition::Lapse) => {
                let lapsed = ApprovalLapsed(OrderState::from(&self));
                TransitionResult::Lapsed(Event::about(self.order_id, &lapsed))
            }
            (Pending, Transition::TimeOut | Transition::Cancel | Transition::Lapse)
            | (
                Approved,
                Transition::Approve(_)
                | Transition::Reject
                | Transition::TimeOut
                | Transition::Lapse,
            )
            | (Cancelled, Transition::Approve(_) | Transition::Lapse)
            | (
                Rejected | TimedOut | Cancelled,
                Transition::Reject | Transition::TimeOut | Transition::Cancel,
            ) => TransitionResult::None,
        }
    }

    fn becomes<E: EventData>(
        self,
        status: OrderStatus,
        now: Timestamp,
        told: impl FnOnce(OrderState) -> E,
    ) -> TransitionResult {
        let order = Self { status, version: self.version + 1, updated_at: now, ..self };
        let event = Event::about(order.order_id, &told(OrderState::from(&order)));
        TransitionResult::Changed(OrderChange { order, event })
    }
}

impl OrderChange {
    /// The changed order, the stock that it returns, and the event.
    pub fn effects(&self) -> Effects {
        self.stored().event(self.event.clone())
    }

    /// The changed order, and the stock that it returns.
    pub(super) fn stored(&self) -> Effects {
        let order = &self.order;
        let returned = (order.status != OrderStatus::Approved).then(|| order.return_stock());
        Effects::none()
            .write(Write::replace(order, order.version - 1))
            .writes_of(returned.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::{Change, Condition, WriteAction, number};

    use super::*;
    use crate::catalogue::StockPart;
    use crate::examples::{moment, pending_order};
    use crate::orders::TakenFrom;

    #[test]
    fn each_status_allows_only_its_own_transitions() {
        use OrderStatus::{Approved, Cancelled, Pending, Rejected, TimedOut};
        let (late, none) = ("ApprovalLapsed", "none");
        let steps = [
            approve(),
            Transition::Lapse,
            Transition::Reject,
            Transition::TimeOut,
            Transition::Cancel,
        ];
        for (status, consequences) in [
            (Pending, ["APPROVED", none, "REJECTED", "TIMED_OUT", none]),
            (Approved, [none, none, none, none, "CANCELLED"]),
            (Rejected, [late, late, none, none, none]),
            (TimedOut, [late, late, none, none, none]),
            // It was approved before, and its cancellation releases the credit.
            (Cancelled, [none, none, none, none, none]),
        ] {
            for (step, expected) in steps.into_iter().zip(consequences) {
                let order = Order { status, ..pending_order() };
                let told = match order.after(step, overdue()) {
                    TransitionResult::Changed(change) => change.order.status.as_str(),
                    TransitionResult::Lapsed(event) => event.event_type,
                    TransitionResult::None => "none",
                };
                assert_eq!(told, expected, "{status:?} {step:?}");
            }
        }
    }

    #[test]
    fn an_order_times_out_at_its_deadline_and_not_before() {
        let settle_by = pending_order().settle_by;
        for (now, timed_out) in [(settle_by.plus_seconds(-1), false), (settle_by, true)] {
            let consequence = pending_order().after(Transition::TimeOut, now);
            assert_eq!(consequence != TransitionResult::None, timed_out, "{now}");
        }
    }

    #[test]
    fn an_approved_order_keeps_its_stock_and_has_its_number() {
        let change = change(pending_order(), approve());
        assert_eq!(change.order.serial_number, Some(SerialNumber::MAX));
        assert_eq!(change.order.updated_at, overdue());
        let effects = change.effects();
        let [write] = effects.writes() else { panic!("not one write: {effects:?}") };
        assert_eq!(write.condition, Some(Condition::Equals("version", number(1))));
        assert_eq!(effects.events()[0].event_type, "OrderApproved");
        assert_eq!(effects.events()[0].data["serialNumber"], 100);
        assert_eq!(effects.events()[0].data["version"], 2);
    }

    #[test]
    fn a_closed_order_returns_its_stock_and_publishes_its_event() {
        let approved = change(pending_order(), approve()).order;
        for (order, step, told) in [
            (pending_order(), Transition::Reject, "OrderRejected"),
            (pending_order(), Transition::TimeOut, "OrderTimedOut"),
            (approved, Transition::Cancel, "OrderDeleted"),
        ] {
            let effects = change(order, step).effects();
            let [_, stock] = effects.writes() else { panic!("not two writes: {effects:?}") };
            let WriteAction::Update(changes) = &stock.action else {
                panic!("no update: {stock:?}")
            };
            assert!(changes.contains(&Change::Add("stock", 2)), "{changes:?}");
            assert_eq!(effects.events()[0].event_type, told);
        }
    }

    #[test]
    fn pieces_of_a_product_in_parts_return_to_their_part() {
        let pending = pending_order();
        let product_id = pending.items[0].product_id;
        let order = Order { taken_from: vec![TakenFrom { product_id, part: 3 }], ..pending };
        let effects = change(order, Transition::Reject).effects();
        let [_, stock] = effects.writes() else { panic!("not two writes: {effects:?}") };
        assert_eq!(stock.key, StockPart::key_of(product_id, 3));
        let WriteAction::Update(changes) = &stock.action else { panic!("no update: {stock:?}") };
        assert!(changes.contains(&Change::Add("pieces", 2)), "{changes:?}");
    }

    fn change(order: Order, step: Transition) -> OrderChange {
        match order.after(step, overdue()) {
            TransitionResult::Changed(change) => change,
            other => panic!("{step:?} resulted in {other:?}"),
        }
    }

    fn approve() -> Transition {
        Transition::Approve(SerialNumber::MAX)
    }

    fn overdue() -> Timestamp {
        moment().now().plus_seconds(901)
    }
}
