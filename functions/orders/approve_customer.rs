//! Consumer of the queue `customer_approvals`: the customer service. It approves customers while
//! their open credit suffices, and releases the credit of closed orders.

use aws::{CachedSetting, Table, batch_get};
use domain::BusinessRules;
use domain::credit::{Charge, CreditAccount, CreditFacts, Reservation, release, reserve};
use domain::orders::{ApprovalLapsed, OrderCreated, OrderDeleted, OrderRejected, OrderTimedOut};
use domain::resources::{CREDITS, CUSTOMER_APPROVALS, SETTINGS};
use lifecycle::Consumer;
use lifecycle::effects::EventData;
use lifecycle::prelude::*;
use serde_json::Value;

fn main() -> ExitCode {
    aws::consume(|aws| ApproveCustomer {
        reservations: aws.table(),
        accounts: aws.table(),
        rules: aws.setting(),
    })
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
    use domain::examples::{envelope, moment, pending_order};
    use domain::orders::OrderState;
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

    #[test]
    fn the_commit_that_reserves_credit_publishes_the_decision() {
        let created = serde_json::to_value(pending_order().created()).unwrap();
        let request = request_of(OrderCreated::TYPE, created).unwrap();
        let open_credit = BusinessRules::default().open_credit;
        let facts = CreditFacts { reservation: None, account: None, open_credit };
        let effects = ApproveCustomer::decide(&moment(), &request, facts).unwrap();
        assert!(effects.writes().iter().all(|write| write.table == CREDITS));
        assert_eq!(effects.events()[0].event_type, "CustomerDecided");
    }

    fn request_of(event_type: &str, data: Value) -> Result<Request, FieldErrors> {
        Request::try_from(envelope(event_type, data))
    }
}
