//! Consumer of the queue `customer_approvals`: the customer service. It approves customers while
//! their open credit suffices, and releases the credit of closed orders.

use aws::{Aws, CachedSetting, Table, batch_get};
use domain::BusinessRules;
use domain::credit::{Charge, CreditAccount, CreditFacts, Reservation, release, reserve};
use domain::orders::{ApprovalLapsed, OrderCreated, OrderDeleted, OrderRejected, OrderTimedOut};
use domain::resources::{CREDITS, CUSTOMER_APPROVALS, CUSTOMER_SAGA, SETTINGS};
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

    /// An order's reservation shows the decision, and that its credit was released.
    const INBOX: Inbox = Inbox::None;

    const RESOURCES: Resources = &[
        Resource::Table(CREDITS, &[BatchGetItem, PutItem, UpdateItem]),
        Resource::Table(SETTINGS, &[GetItem]),
        Resource::Queue(CUSTOMER_SAGA),
    ];

    // 4. Deserialisation
    type Input = Envelope<Value>;

    // 5. Syntax validation: a new order reserves credit, a closed order releases it
    type Command = Request;

    // 6. Retrieval: the order's reservation, and its customer's credit account. The commit has
    // conditions on both, except for a rejection: it needs the account as it is now
    type Facts = CreditFacts;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        request: &Request,
    ) -> Retrieved<CreditFacts> {
        let Charge { order_id, user_id, total } = *request.charge();
        let reservation = self.reservations.one(Reservation::key_of(order_id)).guarded();
        let account = || self.accounts.one(CreditAccount::key_of(user_id, total.currency));
        let reserved = batch_get(permit, (reservation, account().guarded()));
        let ((reservation, last), rules) = futures::try_join!(reserved, self.rules.get(permit))?;
        let open_credit = rules.open_credit;
        let facts = CreditFacts { reservation, account: last, open_credit };
        let is_rejected = matches!(request, Request::Reserve(_))
            && facts.reservation.is_none()
            && !facts.suffice_for(request.charge());
        if !is_rejected {
            return Ok(facts);
        }
        Ok(CreditFacts { account: batch_get(permit, account()).await?, ..facts })
    }

    // 7. and 8. The reservation, which is the decision, and then its announcement
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
    async fn credit_is_reserved_once_and_the_decision_follows_its_commit() {
        let memory = Memory::new();
        let approve_customer = InMemory::new(&memory).consumer(build);
        let order = pending_order();
        let created = testing::envelope("event-1", &order.order_id.to_string(), &order.created());
        for _ in 0..2 {
            assert!(approve_customer.messages(&[&created]).await.failed.is_empty());
        }
        let commits = memory.commits();
        let tables: Vec<_> = commits[0].iter().map(|write| write.table).collect();
        assert_eq!((commits.len(), tables), (1, vec![CREDITS, CREDITS]), "once");
        let sent = memory.messages();
        assert_eq!(sent.len(), 2, "a repeated event repeats the announcement");
        assert_eq!(sent[0].envelope.event_id, sent[1].envelope.event_id, "and its id");
        let decided = &sent[0].envelope;
        assert_eq!(
            (sent[0].queue, decided.event_type.as_str()),
            (CUSTOMER_SAGA, "CustomerDecided")
        );
        assert_eq!(decided.data["orderType"], "APPROVED");
        assert_eq!(account(&memory).reserved, order.total.amount);
    }

    #[tokio::test]
    async fn a_rejection_is_one_write_and_not_decided_again_when_there_is_credit() {
        let memory = Memory::new();
        let approve_customer = InMemory::new(&memory).consumer(build);
        let order = pending_order();
        let (user_id, currency) = (order.user_id, order.total.currency);
        let full = BusinessRules::default().open_credit.amount;
        memory.put(&CreditAccount { user_id, currency, reserved: full });
        let created = testing::envelope("event-1", &order.order_id.to_string(), &order.created());
        assert!(approve_customer.messages(&[&created]).await.failed.is_empty());
        memory.put(&CreditAccount { user_id, currency, reserved: Amount::ZERO });
        assert!(approve_customer.messages(&[&created]).await.failed.is_empty());
        let commits: Vec<_> = memory.commits().iter().map(Vec::len).collect();
        assert_eq!((commits, account(&memory).reserved), (vec![1], Amount::ZERO));
        let sent = memory.messages();
        let decided: Vec<_> = sent.iter().map(|sent| &sent.envelope.data["orderType"]).collect();
        assert_eq!(decided, ["REJECTED", "REJECTED"]);
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
        assert_eq!(memory.messages().len(), 1, "one decision");
    }

    fn account(memory: &Memory) -> CreditAccount {
        let Order { user_id, total, .. } = pending_order();
        memory.get(&CreditAccount::key_of(user_id, total.currency)).unwrap()
    }

    fn request_of(event_type: &str, data: Value) -> Result<Request, FieldErrors> {
        Request::try_from(envelope(event_type, data))
    }
}
