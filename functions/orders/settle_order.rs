//! Consumer of the queue `customer_saga`: settles orders by credit decisions and time-outs.

use aws::{Aws, Sequence, Table, batch_get};
use domain::orders::{
    CreditResult, Delivery, Order, SerialNumbers, SettleFacts, settle, takes_number,
};
use domain::people::{Address, User};
use domain::resources::{
    ADDRESSES, COUNTERS, CUSTOMER_SAGA, EMAILS, ORDER_PROJECTIONS, ORDER_SUMMARIES, ORDERS,
    PRODUCTS, USERS,
};
use lifecycle::Consumer;
use lifecycle::consumer::RecordInput;
use lifecycle::prelude::*;
use serde::Deserialize;
use serde_json::Value;

pub(crate) fn main() -> ExitCode {
    aws::consume(build)
}

fn build(aws: &Aws) -> SettleOrder {
    SettleOrder {
        orders: aws.table(),
        positions: aws.sequence::<SerialNumbers>(SerialNumbers::the_key(), SerialNumbers::LAST),
        customers: aws.table(),
        addresses: aws.table(),
    }
}

struct SettleOrder {
    orders: Table<Order>,
    positions: Sequence,
    customers: Table<User>,
    addresses: Table<Address>,
}

impl Consumer for SettleOrder {
    const SOURCE: Source = Source::Queue(CUSTOMER_SAGA);

    /// An order's status shows that it is settled; and the row of a lapsed approval, that it was
    /// published.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources = &[
        Resource::Table(ORDERS, &[GetItem, PutItem]),
        Resource::Table(COUNTERS, &[UpdateItem]),
        Resource::Table(PRODUCTS, &[UpdateItem]),
        Resource::Table(ORDER_SUMMARIES, &[PutItem]),
        Resource::Table(USERS, &[BatchGetItem]),
        Resource::Table(ADDRESSES, &[BatchGetItem]),
        Resource::Queue(EMAILS),
        Resource::Queue(ORDER_PROJECTIONS),
        Resource::Outbox,
    ];

    // 4. Deserialisation
    type Input = SealedOrBare;

    // 5. Syntax validation
    type Command = CreditResult;

    // 6. Retrieval: the order, and for its approval the other parts of its summary and the next serial
    // number
    type Facts = SettleFacts;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        answer: &CreditResult,
    ) -> Retrieved<Self::Facts> {
        let found = self.orders.get(permit, &Order::key_of(answer.order_id)).await?;
        let order = match found {
            Some(order) if takes_number(answer, Some(&order)) => order,
            order => return Ok(SettleFacts { order, ..SettleFacts::default() }),
        };
        let (delivery, position) =
            futures::join!(self.delivery(permit, &order), self.positions.next(permit));
        let number = Some(SerialNumbers::at(position?));
        Ok(SettleFacts { order: Some(order), number, delivery })
    }

    // 7. and 8. The order with its number and summary, or with the stock that it returns and the event,
    // in one commit
    fn decide(
        moment: &Moment,
        answer: &CreditResult,
        facts: SettleFacts,
    ) -> Result<Effects, DomainError> {
        settle(moment, answer, facts)
    }
}

impl SettleOrder {
    /// The other parts of an order's summary. If they cannot be read, the order is settled without
    /// them, and the projection has to make its summary.
    async fn delivery(&self, permit: &Permit<DeliveredMessage>, order: &Order) -> Option<Delivery> {
        let customer = self.customers.one(User::key_of(order.user_id)).lagging();
        let address = self.addresses.one(Address::key_of(order.address_id)).lagging();
        match batch_get(permit, (customer, address)).await {
            Ok((customer, address)) => address.map(|address| Delivery { customer, address }),
            Err(error) => {
                tracing::warn!(%error, "the parts of a summary cannot be read");
                None
            }
        }
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
    use domain::examples::{ann, envelope, home, moment, pending_order, read};
    use domain::orders::{CreditOutcome, CustomerDecided, OrderStatus, OrderSummary, SerialNumber};
    use lifecycle::commit::OUTBOX;
    use lifecycle::testing::{self, Memory};
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
        for order in &orders {
            memory.put(order);
        }
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

    #[tokio::test]
    async fn an_approval_commits_the_order_with_its_number_and_its_summary_once() {
        let memory = shop();
        for _ in 0..2 {
            decided(&memory, CreditOutcome::Approved).await;
        }
        let commits = memory.commits();
        let tables: Vec<_> = commits[0].iter().map(|write| write.table).collect();
        assert_eq!((commits.len(), tables), (1, vec![ORDERS, ORDER_SUMMARIES]));
        let summary = memory.get::<OrderSummary>(&OrderSummary::key_of(pending_order().order_id));
        let summary = summary.unwrap();
        assert_eq!((summary.version, summary.shown.client.client_name), (2, Some(ann().name)));
        let sent: Vec<_> = memory.messages().iter().map(|sent| sent.queue).collect();
        assert_eq!(sent, [ORDER_PROJECTIONS], "of the repeated message");
    }

    #[tokio::test]
    async fn an_order_whose_summary_cannot_be_made_is_approved_without_it() {
        let memory = Memory::new();
        memory.put(&pending_order());
        decided(&memory, CreditOutcome::Approved).await;
        let tables: Vec<_> = memory.commits()[0].iter().map(|write| write.table).collect();
        assert_eq!(tables, [ORDERS]);
        let sent = memory.messages();
        assert_eq!((sent.len(), sent[0].queue), (1, ORDER_PROJECTIONS));
        assert_eq!(sent[0].envelope.event_type, "OrderApproved");
    }

    #[tokio::test]
    async fn a_rejection_that_is_delivered_twice_returns_the_stock_once() {
        let memory = shop();
        for _ in 0..2 {
            decided(&memory, CreditOutcome::Rejected).await;
        }
        let commits = memory.commits();
        let tables: Vec<_> = commits[0].iter().map(|write| write.table).collect();
        assert_eq!((commits.len(), tables), (1, vec![ORDERS, PRODUCTS, OUTBOX]));
    }

    #[tokio::test]
    async fn an_approval_that_lapses_is_published_once() {
        let memory = shop();
        memory.put(&Order { status: OrderStatus::TimedOut, version: 2, ..pending_order() });
        for _ in 0..2 {
            decided(&memory, CreditOutcome::Approved).await;
        }
        let events: Vec<_> = memory.outbox().into_iter().map(|event| event.event_type).collect();
        assert_eq!(events, ["ApprovalLapsed"]);
    }

    /// A pending order with its customer and address.
    fn shop() -> Memory {
        let memory = Memory::new();
        memory.put(&pending_order());
        memory.put(&ann());
        memory.put(&home());
        memory
    }

    /// Delivers a decision of the customer service, always in the same message.
    async fn decided(memory: &Memory, order_type: CreditOutcome) {
        let Order { order_id, user_id, .. } = pending_order();
        let decided =
            CustomerDecided(CreditResult { order_id, order_type, user_id: Some(user_id) });
        let message = testing::envelope("event-2", &order_id.to_string(), &decided);
        let settle_order = InMemory::new(memory).consumer(build);
        assert!(settle_order.messages(&[&message]).await.failed.is_empty());
    }
}
