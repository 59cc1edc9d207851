//! Consumer of the queue `customer_approvals`: the customer service. It approves customers while
//! their open credit suffices, and releases the credit of closed orders.

use aws::{Aws, CachedSetting, Table, batch_get};
use domain::BusinessRules;
use domain::credit::{Charge, CreditAccount, CreditFacts, Reservation, release, reserve};
use domain::orders::{ApprovalLapsed, OrderCreated, OrderDeleted, OrderRejected, OrderTimedOut};
use domain::resources::{CREDITS, CUSTOMER_APPROVALS, SETTINGS};
use lifecycle::Consumer;
use lifecycle::effects::EventData;
use lifecycle::prelude::*;
use serde_json::Value;

pub(crate) fn main() -> ExitCode {
    aws::consume(build)
}

fn build(aws: &Aws) -> ApproveCustomer {
    ApproveCustomer { reservations: aws.table(), accounts: aws.table(), rules: aws.setting() }
}

struct ApproveCustomer {
    reservations: Table<Reservation>,
    accounts: Table<CreditAccount>,
    rules: CachedSetting<BusinessRules>,
}

impl Consumer for ApproveCustomer {
    const SOURCE: Source = Source::Queue(CUSTOMER_APPROVALS);

    const RESOURCES: Resources = &[
        Resource::Table(CREDITS, &[BatchGetItem, PutItem, UpdateItem]),
        Resource::Table(SETTINGS, &[GetItem]),
        Resource::Outbox,
    ];

    // 4. Deserialisation
    type Input = Envelope<Value>;

    // 5. Syntax validation: a new order reserves credit, a closed order releases it
    type Command = Request;

    // 6. Retrieval: the order's reservation, and its customer's credit account
    type Facts = CreditFacts;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        request: &Request,
    ) -> Retrieved<CreditFacts> {
        let Charge { order_id, user_id, total } = *request.charge();
        let reservation = self.reservations.one(Reservation::key_of(order_id));
        let account = self.accounts.one(CreditAccount::key_of(user_id, total.currency));
        let reserved = batch_get(permit, (reservation, account));
        let ((reservation, account), rules) = futures::try_join!(reserved, self.rules.get(permit))?;
        Ok(CreditFacts { reservation, account, open_credit: rules.open_credit })
    }

    // 7. and 8. The reservation, and the event with the decision, in one commit
    fn decide(_: &Moment, request: &Request, facts: CreditFacts) -> Result<Effects, DomainError> {
        Ok(match request {
            Request::Reserve(charge) => reserve(charge, &facts),
            Request::Release(charge) => release(charge, &facts),
        })
    }
}

/// The request that an event makes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Request {
    /// Reserve credit for a new order.
    Reserve(Charge),
    /// Release the credit of a closed order.
    Release(Charge),
}

impl TryFrom<Envelope<Value>> for Request {
    type Error = FieldErrors;

    fn try_from(envelope: Envelope<Value>) -> Result<Self, FieldErrors> {
        let ask = match envelope.event_type.as_str() {
            OrderCreated::TYPE => Self::Reserve,
            OrderRejected::TYPE
            | OrderTimedOut::TYPE
            | OrderDeleted::TYPE
            | ApprovalLapsed::TYPE => Self::Release,
            _ => return Err(envelope.unknown_type()),
        };
        envelope.read().map(ask)
    }
}

impl Request {
    fn charge(&self) -> &Charge {
        let (Self::Reserve(charge) | Self::Release(charge)) = self;
        charge
    }
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use domain::catalogue::Amount;
    use domain::examples::{envelope, pending_order};
    use domain::orders::{Order, OrderState};
    use lifecycle::commit::OUTBOX;
    use lifecycle::idempotency::IDEMPOTENCY_KEYS;
    use lifecycle::testing::{self, Memory};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_order_reserves_credit_and_every_closed_order_releases_it() {
        let order = pending_order();
        let created = serde_json::to_value(order.created()).unwrap();
        let state = serde_json::to_value(OrderState::from(&order)).unwrap();
        let charge =
            Charge { order_id: order.order_id, user_id: order.user_id, total: order.total };
        assert_eq!(request_of(OrderCreated::TYPE, created), Ok(Request::Reserve(charge)));
        for closed in ["OrderRejected", "OrderTimedOut", "OrderDeleted", "ApprovalLapsed"] {
            assert_eq!(request_of(closed, state.clone()), Ok(Request::Release(charge)), "{closed}");
        }
    }

    #[test]
    fn unknown_events_and_unreadable_data_are_poison() {
        for event_type in ["OrderApproved", OrderCreated::TYPE, OrderDeleted::TYPE] {
            assert!(request_of(event_type, json!({})).is_err(), "{event_type}");
        }
    }

    #[tokio::test]
    async fn the_commit_that_reserves_credit_publishes_the_decision() {
        let memory = Memory::new();
        let approve_customer = InMemory::new(&memory).consumer(build);
        let order = pending_order();
        let created = testing::envelope("event-1", &order.order_id.to_string(), &order.created());
        for _ in 0..2 {
            assert!(approve_customer.messages(&[&created]).await.failed.is_empty());
        }
        let commits = memory.commits();
        let mut tables: Vec<_> = commits[0].iter().map(|write| write.table).collect();
        tables.retain(|table| ![OUTBOX, IDEMPOTENCY_KEYS].contains(table));
        assert_eq!((commits.len(), tables), (1, vec![CREDITS, CREDITS]), "once");
        let decided = &memory.outbox()[0];
        assert_eq!(decided.event_type, "CustomerDecided");
        assert_eq!(decided.data["orderType"], "APPROVED");
        assert_eq!(account(&memory).reserved, order.total.amount);
    }

    #[tokio::test]
    async fn a_closed_order_releases_its_reservation_and_never_reserves_again() {
        let memory = Memory::new();
        let approve_customer = InMemory::new(&memory).consumer(build);
        let order = pending_order();
        let id = order.order_id.to_string();
        let deleted = OrderDeleted(OrderState::from(&order));
        let deliveries = [
            testing::envelope("event-1", &id, &order.created()),
            testing::envelope("event-2", &id, &deleted),
            testing::envelope("event-3", &id, &order.created()),
        ];
        for delivery in deliveries {
            assert!(approve_customer.messages(&[delivery]).await.failed.is_empty());
        }
        assert_eq!(account(&memory).reserved, Amount::ZERO);
        assert_eq!(memory.outbox().len(), 1, "one decision");
    }

    fn account(memory: &Memory) -> CreditAccount {
        let Order { user_id, total, .. } = pending_order();
        memory.get(&CreditAccount::key_of(user_id, total.currency)).unwrap()
    }

    fn request_of(event_type: &str, data: Value) -> Result<Request, FieldErrors> {
        Request::try_from(envelope(event_type, data))
    }
}
