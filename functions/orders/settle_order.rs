//! Consumer of the queue `customer_saga`: settles orders by credit decisions and time-outs.

use aws::{Table, batch_get};
use domain::orders::{CreditResult, Order, SerialNumbers, settle};
use domain::resources::{COUNTERS, CUSTOMER_SAGA, ORDERS, PRODUCTS};
use lifecycle::Consumer;
use lifecycle::consumer::RecordInput;
use lifecycle::prelude::*;
use serde::Deserialize;
use serde_json::Value;

pub(crate) fn main() -> ExitCode {
    aws::consume(|aws| SettleOrder { orders: aws.table(), numbers: aws.table() })
}

struct SettleOrder {
    orders: Table<Order>,
    numbers: Table<SerialNumbers>,
}

impl Consumer for SettleOrder {
    const SOURCE: Source = Source::Queue(CUSTOMER_SAGA);

    /// All approvals increment the same counter item: concurrent ones would only conflict.
    const CONCURRENCY: usize = 1;

    const RESOURCES: Resources = &[
        Resource::Table(ORDERS, &[BatchGetItem, PutItem]),
        Resource::Table(COUNTERS, &[BatchGetItem, PutItem]),
        Resource::Table(PRODUCTS, &[UpdateItem]),
        Resource::Outbox,
    ];

    // 4. Deserialisation
    type Input = SealedOrBare;

    // 5. Syntax validation
    type Command = CreditResult;

    // 6. Retrieval
    type Facts = (Option<Order>, Option<SerialNumbers>);

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        answer: &CreditResult,
    ) -> Retrieved<Self::Facts> {
        let order = self.orders.one(Order::key_of(answer.order_id));
        let numbers = self.numbers.one(SerialNumbers::the_key());
        Ok(batch_get(permit, (order, numbers)).await?)
    }

    // 7. and 8. The order, its number or the stock it returns, and the event, in one commit
    fn decide(
        moment: &Moment,
        answer: &CreditResult,
        (order, numbers): Self::Facts,
    ) -> Result<Effects, DomainError> {
        settle(moment, answer, order, numbers.as_ref())
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
    use domain::examples::{envelope, moment, pending_order, read};
    use domain::orders::CreditOutcome;
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
        let effects = SettleOrder::decide(&moment(), &answer, (Some(order), None)).unwrap();
        let tables: Vec<_> = effects.writes().iter().map(|write| write.table).collect();
        assert_eq!(tables, [ORDERS, COUNTERS]);
        assert_eq!(effects.events()[0].event_type, "OrderApproved");
    }
}
