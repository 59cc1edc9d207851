//! The life of an order after it has been placed: which status follows which, and what comes of it.

use lifecycle::Timestamp;
use lifecycle::effects::{Effects, Event, EventData, Write};

use super::news::{ApprovalLapsed, OrderApproved, OrderDeleted, OrderRejected, OrderTimedOut};
use super::{Order, OrderLine, OrderState, OrderStatus, SerialNumber};

/// What may befall an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its customer is approved; this would be its number.
    Approve(SerialNumber),
    /// Its customer is not approved.
    Reject,
    /// It has waited long enough for an answer.
    TimeOut,
    /// It is called off.
    Cancel,
}

/// What comes of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Consequence {
    /// The order moves on.
    Changed(OrderChange),
    /// The order is closed, and is not revived: whoever approved it takes the approval back.
    Lapsed(Event),
    /// Nothing: the step is not for an order in this state.
    None,
}

/// An order that has moved on.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderChange {
    /// As it is now.
    pub order: Order,
    /// What others are told.
    event: Event,
}

impl Order {
    /// What comes of a step that befalls the order at this time.
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
    /// The order as it is now, the stock that it no longer needs, and word of it.
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
    use lifecycle::effects::{Action, Change, Condition, number};

    use super::*;
    use crate::examples::{moment, pending_order};

    #[test]
    fn an_order_takes_these_steps_and_no_others() {
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
    fn an_order_that_is_closed_returns_its_stock_and_says_so() {
        let approved = change(pending_order(), approve()).order;
        for (order, step, told) in [
            (pending_order(), Step::Reject, "OrderRejected"),
            (pending_order(), Step::TimeOut, "OrderTimedOut"),
            (approved, Step::Cancel, "OrderDeleted"),
        ] {
            let effects = change(order, step).effects();
            let [_, stock] = effects.writes() else { panic!("not two writes: {effects:?}") };
            let Action::Update(changes) = &stock.action else { panic!("no update: {stock:?}") };
            assert!(changes.contains(&Change::Add("stock", 2)), "{changes:?}");
            assert_eq!(effects.events()[0].event_type, told);
        }
    }

    fn change(order: Order, step: Step) -> OrderChange {
        match order.after(step, overdue()) {
            Consequence::Changed(change) => change,
            other => panic!("{step:?} came to {other:?}"),
        }
    }

    fn approve() -> Step {
        Step::Approve(SerialNumber::MAX)
    }

    fn overdue() -> Timestamp {
        moment().now().plus_seconds(901)
    }
}
