//! Consumer of the queue `customer_saga`: settles orders by credit decisions and time-outs.

use aws::{Aws, Sequence, Table};
use domain::orders::{CreditResult, Order, SerialNumber, SerialNumbers, settle, takes_number};
use domain::resources::{COUNTERS, CUSTOMER_SAGA, ORDERS, PRODUCTS};
use lifecycle::Consumer;
use lifecycle::consumer::RecordInput;
use lifecycle::prelude::*;
use serde::Deserialize;
use serde_json::Value;

pub(crate) fn main() -> ExitCode {
    aws::consume(build)
}

fn build(aws: &Aws) -> SettleOrder {
    let positions = aws.sequence::<SerialNumbers>(SerialNumbers::the_key(), SerialNumbers::LAST);
    SettleOrder { orders: aws.table(), positions }
}

struct SettleOrder {
    orders: Table<Order>,
    positions: Sequence,
}

impl Consumer for SettleOrder {
    const SOURCE: Source = Source::Queue(CUSTOMER_SAGA);

    const RESOURCES: Resources = &[
        Resource::Table(ORDERS, &[GetItem, PutItem]),
        Resource::Table(COUNTERS, &[UpdateItem]),
        Resource::Table(PRODUCTS, &[UpdateItem]),
        Resource::Outbox,
    ];

    // 4. Deserialisation
    type Input = SealedOrBare;

    // 5. Syntax validation
    type Command = CreditResult;

    // 6. Retrieval: the order, and the next serial number if it gets one
    type Facts = (Option<Order>, Option<SerialNumber>);

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        answer: &CreditResult,
    ) -> Retrieved<Self::Facts> {
        let order = self.orders.get(permit, &Order::key_of(answer.order_id)).await?;
        let number = if takes_number(answer, order.as_ref()) {
            Some(SerialNumbers::at(self.positions.next(permit).await?))
        } else {
            None
        };
        Ok((order, number))
    }

    // 7. and 8. The order with its number, or the stock that it returns, and the event, in one commit
    fn decide(
        moment: &Moment,
        answer: &CreditResult,
        (order, number): Self::Facts,
    ) -> Result<Effects, DomainError> {
        settle(moment, answer, order, number)
    }
}

/// A decision in an envelope, or bare, as operators write it by hand.
#[derive(Deserialize)]
#[serde(untagged)]
enum SealedOrBare {
    Sealed(Envelope<Value>),
    Bare(Value),
}

impl TryFrom<SealedOrBare> for CreditResult {
    type Error = FieldErrors;

    fn try_from(input: SealedOrBare) -> Result<Self, FieldErrors> {
        let (field, answer) = match input {
            SealedOrBare::Sealed(envelope) => ("/data", envelope.data),
            SealedOrBare::Bare(answer) => ("", answer),
        };
        serde_json::from_value(answer).map_err(|error| FieldErrors::one(field, error.to_string()))
    }
}

/// The ids of the envelope. A bare decision has none; its message's id is used.
impl RecordInput for SealedOrBare {
    fn event_id(&self) -> Option<&str> {
        self.envelope()?.event_id()
    }

    fn request_id(&self) -> Option<&str> {
        self.envelope()?.request_id()
    }

    fn traceparent(&self) -> Option<&str> {
        self.envelope()?.traceparent()
    }

    fn tracestate(&self) -> Option<&str> {
        self.envelope()?.tracestate()
    }
}

impl SealedOrBare {
    fn envelope(&self) -> Option<&Envelope<Value>> {
        match self {
            Self::Sealed(envelope) => Some(envelope),
            Self::Bare(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use domain::examples::{envelope, moment, pending_order, read};
    use domain::orders::{CreditOutcome, OrderStatus};
    use lifecycle::testing::Memory;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_decision_is_read_from_an_envelope_and_bare() {
        let order_id = pending_order().order_id;
        let answer = json!({ "orderId": order_id, "orderType": "APPROVED" });
        let sealed = serde_json::to_value(envelope("CustomerDecided", answer)).unwrap();
        let by_hand = json!({ "orderID": order_id, "orderType": "Approved" });
        for (message, event_id) in [(sealed, Some("event-1")), (by_hand, None)] {
            let input: SealedOrBare = read(message);
            assert_eq!(input.event_id(), event_id);
            let answer = CreditResult::try_from(input).unwrap();
            assert_eq!(
                answer,
                CreditResult { order_id, order_type: CreditOutcome::Approved, user_id: None }
            );
        }
    }

    #[tokio::test]
    async fn approvals_of_a_batch_get_consecutive_numbers_and_a_late_one_gets_none() {
        let memory = Memory::new();
        let order = |number: usize, status| {
            let order_id = moment().id(&format!("order {number}")).into();
            Order { order_id, status, ..pending_order() }
        };
        let pending = (0..5).map(|number| order(number, OrderStatus::Pending));
        let orders: Vec<Order> = pending.chain([order(5, OrderStatus::TimedOut)]).collect();
        orders.iter().for_each(|order| memory.put(order));
        let approved = orders
            .iter()
            .map(|order| json!({ "orderId": order.order_id, "orderType": "APPROVED" }));
        let approved: Vec<Value> = approved.collect();

        let consumed = InMemory::new(&memory).consumer(build).messages(&approved).await;

        assert!(consumed.failed.is_empty(), "{consumed:?}");
        let number = |order: &Order| {
            let stored = memory.get::<Order>(&Order::key_of(order.order_id)).unwrap();
            stored.serial_number.map(SerialNumber::get)
        };
        let mut numbers: Vec<_> = orders.iter().map(number).collect();
        assert_eq!(numbers.pop(), Some(None), "it is late");
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=5).map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn a_message_without_a_valid_decision_is_poison() {
        for message in [json!({}), json!("APPROVED"), json!({ "orderID": "1", "orderType": "x" })] {
            assert!(CreditResult::try_from(read::<SealedOrBare>(message)).is_err());
        }
    }

    #[test]
    fn an_approval_numbers_the_order_and_publishes_order_approved() {
        let order = pending_order();
        let (order_id, order_type) = (order.order_id, CreditOutcome::Approved);
        let answer = CreditResult { order_id, order_type, user_id: None };
        let facts = (Some(order), Some(SerialNumber::MAX));
        let effects = SettleOrder::decide(&moment(), &answer, facts).unwrap();
        let tables: Vec<_> = effects.writes().iter().map(|write| write.table).collect();
        assert_eq!(tables, [ORDERS]);
        assert_eq!(effects.events()[0].event_type, "OrderApproved");
    }
}
