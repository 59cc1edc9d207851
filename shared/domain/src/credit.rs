//! The credit of customers: the customer service's side of an order's saga.
//!
//! A customer is approved while the reservations for their orders stay within the open credit of
//! the rules. There is no event for payments yet: an approved order keeps its reservation until it
//! is cancelled.

use lifecycle::effects::{Condition, Effects, Event, Message, Write, text};
use lifecycle::newtypes::wire_enum;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

use self::ReservationStatus::{Held, Released};
use crate::catalogue::{Amount, Currency, Money};
use crate::events::messages_about;
use crate::orders::{CreditOutcome, CreditResult, CustomerDecided, OrderId};
use crate::people::UserId;
use crate::resources::CREDITS;

/// The charge of an order to its customer. All events about orders have these fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    /// The order.
    pub order_id: OrderId,
    /// The customer.
    pub user_id: UserId,
    /// The total price.
    pub total: Money,
}

/// The facts for the customer service's decision.
#[derive(Debug, Clone)]
pub struct CreditFacts {
    /// The order's reservation.
    pub reservation: Option<Reservation>,
    /// The sum of the customer's reservations in the order's currency.
    pub account: Option<CreditAccount>,
    /// The maximum that may be reserved for a customer.
    pub open_credit: Money,
}

impl CreditFacts {
    /// Whether the customer's credit suffices for an order, as far as the facts show.
    pub fn suffice_for(&self, order: &Charge) -> bool {
        let account = self.account.as_ref();
        let reserved = account.map_or(Amount::ZERO, |account| account.reserved).get();
        let rest = self.open_credit.amount.get() - reserved;
        // There are no exchange rates here.
        order.total.currency == self.open_credit.currency && order.total.amount.get() <= rest
    }
}

/// Decides on the customer of a new order: approves them and reserves the credit, or rejects them.
///
/// The reservation is the decision, also of a rejected order. So an order that has one is not decided
/// on again: an earlier delivery has done it, and its announcement, which may be missing, is repeated.
/// An order that was released before needs no decision any more.
pub fn reserve(order: &Charge, facts: &CreditFacts) -> Effects {
    if let Some(reservation) = &facts.reservation {
        let told = reservation.decision().map(|decision| told(order, decision));
        return Effects::none().announce_all(told.into_iter().flatten());
    }
    if !facts.suffice_for(order) {
        let refused = Reservation { refused: true, ..Reservation::of(order, Released) };
        let effects = Effects::none().write(Write::create(&refused));
        return effects.announce_all(told(order, CreditOutcome::Rejected));
    }
    Effects::none()
        .write(CreditAccount::add(order, facts.open_credit))
        .write(Write::create(&Reservation::of(order, Held)))
        .announce_all(told(order, CreditOutcome::Approved))
}

/// The messages about a decision.
fn told(order: &Charge, order_type: CreditOutcome) -> Vec<Message> {
    let (order_id, user_id) = (order.order_id, Some(order.user_id));
    let answer = CreditResult { order_id, order_type, user_id };
    messages_about(&Event::about(order.order_id, &CustomerDecided(answer)))
}

/// Releases the reservation of a closed order, once.
///
/// Without a reservation, the release has overtaken the order. It is stored, so that the order
/// reserves nothing later.
pub fn release(order: &Charge, facts: &CreditFacts) -> Effects {
    let released = Reservation::of(order, Released);
    match &facts.reservation {
        None => Effects::none().write(Write::create(&released)),
        Some(Reservation { status: Released, .. }) => Effects::none(),
        Some(held) => {
            let held_still = Condition::Equals("status", text(held.status.as_str()));
            Effects::none()
                .write(Write::put(&released).when(held_still))
                .write(CreditAccount::subtract(held))
        }
    }
}

/// The sum of a customer's reservations in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditAccount {
    /// The customer.
    pub user_id: UserId,
    /// The currency. If the rules change it, a new account begins.
    pub currency: Currency,
    /// The sum in minor units of the currency.
    pub reserved: Amount,
}

impl CreditAccount {
    /// The key of a customer's account.
    pub fn key_of(user_id: UserId, currency: Currency) -> Key {
        Key::new(format_args!("account#{user_id}#{currency}"))
    }

    /// Adds an order, as long as the sum stays within the open credit.
    fn add(order: &Charge, open_credit: Money) -> Write {
        let Money { amount, currency } = order.total;
        let room = Condition::Below("reserved", open_credit.amount.get() - amount.get() + 1);
        Write::update::<Self>(Self::key_of(order.user_id, currency))
            .set("userId", text(order.user_id.to_string()))
            .set("currency", text(currency.to_string()))
            .add("reserved", amount.get())
            .when(Condition::Any(vec![Condition::Absent, room]))
    }

    /// Subtracts the amount of a reservation.
    fn subtract(held: &Reservation) -> Write {
        let Money { amount, currency } = held.amount;
        Write::update::<Self>(Self::key_of(held.user_id, currency))
            .add("reserved", -amount.get())
            .when(Condition::AtLeast("reserved", amount.get()))
    }
}

impl Record for CreditAccount {
    const TABLE: TableName = CREDITS;

    fn key(&self) -> Key {
        Self::key_of(self.user_id, self.currency)
    }
}

/// The reservation of an order, held or released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// The order.
    pub order_id: OrderId,
    /// The customer.
    pub user_id: UserId,
    /// The reserved amount.
    pub amount: Money,
    /// Whether it counts towards the customer's sum.
    pub status: ReservationStatus,
    /// Whether the customer was rejected: nothing was ever held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

impl Reservation {
    /// The key of an order's reservation.
    pub fn key_of(order_id: OrderId) -> Key {
        Key::new(format_args!("order#{order_id}"))
    }

    fn of(order: &Charge, status: ReservationStatus) -> Self {
        let Charge { order_id, user_id, total } = *order;
        Self { order_id, user_id, amount: total, status, refused: false }
    }

    /// The decision on the customer; none if the order was released before.
    fn decision(&self) -> Option<CreditOutcome> {
        match (self.status, self.refused) {
            (Held, _) => Some(CreditOutcome::Approved),
            (Released, true) => Some(CreditOutcome::Rejected),
            (Released, false) => None,
        }
    }
}

impl Record for Reservation {
    const TABLE: TableName = CREDITS;

    fn key(&self) -> Key {
        Self::key_of(self.order_id)
    }
}

wire_enum! {
    /// Whether a reservation counts towards its customer's sum.
    ReservationStatus {
        /// It counts.
        Held = "HELD",
        /// It was released, or never held.
        Released = "RELEASED",
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::{Change, Content, WriteAction};
    use serde_json::{Value, json};

    use super::*;
    use crate::BusinessRules;
    use crate::examples::{pending_order, read};
    use crate::resources::CUSTOMER_SAGA;

    #[test]
    fn an_order_within_the_open_credit_is_approved_and_reserved() {
        for (reserved, total, answer) in [
            (None, 500_000, "APPROVED"),
            (None, 500_001, "REJECTED"),
            (Some(499_000), 1_000, "APPROVED"),
            (Some(499_000), 1_001, "REJECTED"),
            (Some(500_000), 0, "APPROVED"),
        ] {
            let effects = reserve(&charge(total, "EUR"), &facts(reserved, None));
            assert_eq!(decisions(&effects), [answer], "{reserved:?} {total}");
            let writes = if answer == "APPROVED" { 2 } else { 1 };
            assert_eq!(effects.writes().len(), writes, "{reserved:?} {total}");
        }
    }

    #[test]
    fn a_decision_is_stored_and_only_its_announcement_is_repeated() {
        let order = charge(700, "EUR");
        for (reserved, answer) in [(0, "APPROVED"), (500_000, "REJECTED")] {
            let first = reserve(&order, &facts(Some(reserved), None));
            let last = first.writes().last().expect("the reservation is the last write");
            assert_eq!(last.condition, Some(Condition::Absent));
            let WriteAction::Put(item) = &last.action else { panic!("{last:?}") };
            let reservation = Some(Reservation::of_item(item.clone()).unwrap());
            // By the credit that is left now, the decision would be the opposite.
            let facts = CreditFacts { reservation, ..facts(Some(500_000 - reserved), None) };
            let again = reserve(&order, &facts);
            assert_eq!((decisions(&again), again.writes().len()), (vec![json!(answer)], 0));
        }
    }

    #[test]
    fn an_order_in_another_currency_than_the_credit_is_rejected() {
        let effects = reserve(&charge(1, "USD"), &facts(None, None));
        assert_eq!(decisions(&effects), ["REJECTED"]);
    }

    #[test]
    fn a_reservation_is_released_once() {
        let order = charge(700, "EUR");
        let effects = release(&order, &facts(Some(700), Some(ReservationStatus::Held)));
        let WriteAction::Update(changes) = &effects.writes()[1].action else {
            panic!("{effects:?}")
        };
        assert_eq!(changes, &[Change::Add("reserved", -700)]);
        let again = release(&order, &facts(Some(0), Some(ReservationStatus::Released)));
        assert!(again.writes().is_empty());
    }

    #[test]
    fn a_release_that_overtakes_its_order_prevents_the_reservation() {
        let order = charge(700, "EUR");
        let overtaking = release(&order, &facts(None, None));
        assert_eq!(overtaking.writes()[0].condition, Some(Condition::Absent));
        let late = reserve(&order, &facts(None, Some(ReservationStatus::Released)));
        assert!(late.is_empty(), "{late:?}");
    }

    fn decisions(effects: &Effects) -> Vec<Value> {
        let announced = effects.announced().iter().map(|message| {
            assert_eq!(message.queue, CUSTOMER_SAGA);
            let Content::New(event) = &message.content else { panic!("{message:?}") };
            event.data["orderType"].clone()
        });
        announced.collect()
    }

    fn charge(total: i64, currency: &str) -> Charge {
        let order = pending_order();
        let total = read(json!({ "amount": total, "currency": currency }));
        Charge { order_id: order.order_id, user_id: order.user_id, total }
    }

    fn facts(reserved: Option<i64>, status: Option<ReservationStatus>) -> CreditFacts {
        let order = charge(700, "EUR");
        let account = |reserved| CreditAccount {
            user_id: order.user_id,
            currency: Currency::EUR,
            reserved: Amount::of_minor_units(reserved),
        };
        CreditFacts {
            reservation: status.map(|status| Reservation::of(&order, status)),
            account: reserved.map(account),
            open_credit: BusinessRules::default().open_credit,
        }
    }
}
