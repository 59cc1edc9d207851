//! The transitions of an order's status after it has been placed, and their effects.

use lifecycle::Timestamp;
use lifecycle::effects::{Effects, Event, EventData, Write};

use super::news::{ApprovalLapsed, OrderApproved, OrderDeleted, OrderRejected, OrderTimedOut};
use super::{Order, OrderLine, OrderState, OrderStatus, SerialNumber};

/// A transition of an order's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its customer is approved; the order would get this number.
    Approve(SerialNumber),
    /// Its customer is not approved.
    Reject,
    /// Its deadline has passed without a decision.
    TimeOut,
    /// It is cancelled.
    Cancel,
}

/// The result of a transition.
#[derive(Debug, Clone, PartialEq)]
pub enum Consequence {
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
    event: Event,
}

impl Order {
    /// The result of a transition at this time.
    pub fn after(self, step: Step, now: Timestamp) -> Consequence {
        use OrderStatus::{Approved, Cancelled, Pending, Rejected, TimedOut};
        match (self.status, step) {
            (Pending, Step::Approve(number)) => {
                let order = Self { serial_number: Some(number), ..self };
                order.becomes(Approved, now, OrderApproved)
            }
            (Pending, Step::Reject) => self.becomes(Rejected, now, OrderRejected),
            (Pending, Step::TimeOut) if now >= self.settle_by => {
                self.becomes(TimedOut, now, OrderTimedOut)
            }
            (Approved, Step::Cancel) => self.becomes(Cancelled, now, OrderDeleted),
            (Rejected | TimedOut | Cancelled, Step::Approve(_)) => {
                let lapsed = ApprovalLapsed(OrderState::from(&self));
                Consequence::Lapsed(Event::about(self.order_id, &lapsed))
            }
            (Pending, Step::TimeOut | Step::Cancel)
            | (Approved, Step::Approve(_) | Step::Reject | Step::TimeOut)
            | (Rejected | TimedOut | Cancelled, Step::Reject | Step::TimeOut | Step::Cancel) => {
                Consequence::None
            }
        }
    }

    fn becomes<E: EventData>(
        self,
        status: OrderStatus,
        now: Timestamp,
        told: impl FnOnce(OrderState) -> E,
    ) -> Consequence {
        let order = Self { status, version: self.version + 1, updated_at: now, ..self };
        let event = Event::about(order.order_id, &told(OrderState::from(&order)));
        Consequence::Changed(OrderChange { order, event })
    }
}

impl OrderChange {
    /// The changed order, the stock that it returns, and the event.
    pub fn effects(&self) -> Effects {
        let OrderChange { order, event } = self;
        let returned = if order.status == OrderStatus::Approved { &[] } else { &*order.items };
        Effects::none()
            .write(Write::replace(order, order.version - 1))
            .writes_of(returned.iter().map(OrderLine::return_to_stock))
            .event(event.clone())
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::{Change, Condition, WriteAction, number};

    use super::*;
    use crate::examples::{moment, pending_order};

    #[test]
    fn each_status_allows_only_its_own_transitions() {
        use OrderStatus::{Approved, Cancelled, Pending, Rejected, TimedOut};
        let steps = [approve(), Step::Reject, Step::TimeOut, Step::Cancel];
        for (status, consequences) in [
            (Pending, ["APPROVED", "REJECTED", "TIMED_OUT", "none"]),
            (Approved, ["none", "none", "none", "CANCELLED"]),
            (Rejected, ["ApprovalLapsed", "none", "none", "none"]),
            (TimedOut, ["ApprovalLapsed", "none", "none", "none"]),
            (Cancelled, ["ApprovalLapsed", "none", "none", "none"]),
        ] {
            for (step, expected) in steps.into_iter().zip(consequences) {
                let order = Order { status, ..pending_order() };
                let told = match order.after(step, overdue()) {
                    Consequence::Changed(change) => change.order.status.as_str(),
                    Consequence::Lapsed(event) => event.event_type,
                    Consequence::None => "none",
                };
                assert_eq!(told, expected, "{status:?} {step:?}");
            }
        }
    }

    #[test]
    fn an_order_times_out_at_its_deadline_and_not_before() {
        let settle_by = pending_order().settle_by;
        for (now, timed_out) in [(settle_by.plus_seconds(-1), false), (settle_by, true)] {
            let consequence = pending_order().after(Step::TimeOut, now);
            assert_eq!(consequence != Consequence::None, timed_out, "{now}");
        }
    }

    #[test]
    fn an_approved_order_keeps_its_stock_and_has_its_number() {
        let change = change(pending_order(), approve());
        assert_eq!(change.order.serial_number, Some(SerialNumber::MAX));
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
            (pending_order(), Step::Reject, "OrderRejected"),
            (pending_order(), Step::TimeOut, "OrderTimedOut"),
            (approved, Step::Cancel, "OrderDeleted"),
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

    fn change(order: Order, step: Step) -> OrderChange {
        match order.after(step, overdue()) {
            Consequence::Changed(change) => change,
            other => panic!("{step:?} resulted in {other:?}"),
        }
    }

    fn approve() -> Step {
        Step::Approve(SerialNumber::MAX)
    }

    fn overdue() -> Timestamp {
        moment().now().plus_seconds(901)
    }
}
