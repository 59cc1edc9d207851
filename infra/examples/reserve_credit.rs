//! A step of a saga: a new order reserves its customer's credit, and a cancelled order releases it.
//!
//! The reservation and the event with the decision are one transaction; the service of the orders
//! reacts to `CreditReserved` or `CreditRefused`. A release is the compensation of a reservation. It may
//! overtake it, since the queue keeps no order: a released order reserves nothing later.

use std::collections::{BTreeMap, BTreeSet};

use aws::{Aws, Table};
use lifecycle::Consumer;
use lifecycle::effects::{EventData, QueueName};
use lifecycle::prelude::*;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

fn main() -> ExitCode {
    aws::consume(build)
}

fn build(aws: &Aws) -> ReserveCredit {
    ReserveCredit { accounts: aws.table() }
}

const CREDIT_REQUESTS: QueueName = QueueName::new("credit_requests");
const ACCOUNTS: TableName = TableName::new("accounts");

/// The credit of a customer, in cents.
const CREDIT_CENTS: u64 = 100_000;

struct ReserveCredit {
    accounts: Table<Account>,
}

impl Consumer for ReserveCredit {
    const SOURCE: Source = Source::Queue(CREDIT_REQUESTS);

    const RESOURCES: Resources =
        &[Resource::Table(ACCOUNTS, &[GetItem, PutItem]), Resource::Outbox];

    // 4. Deserialisation
    type Input = Envelope<Value>;

    // 5. Syntax validation: the type of the event is the step
    type Command = Step;

    // 6. Retrieval
    type Facts = Option<Account>;

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        step: &Step,
    ) -> Retrieved<Option<Account>> {
        Ok(self.accounts.get(permit, &Key::new(&step.order().customer)).await?)
    }

    // 7. and 8. If the account has changed since it was read, it is read and decided again
    fn decide(_: &Moment, step: &Step, stored: Option<Account>) -> Result<Effects, DomainError> {
        let (order, read_version) = (step.order(), stored.as_ref().map(|account| account.version));
        let mut account = stored.unwrap_or_else(|| Account::new(&order.customer));
        account.version += 1;
        if account.released.contains(&order.order_id) {
            return Ok(Effects::none());
        }
        let event = match step {
            Step::Reserve(order) if account.reserve(order) => {
                Some(Event::about(&order.order_id, &CreditReserved::of(order)))
            }
            Step::Reserve(order) => {
                let refused = Event::about(&order.order_id, &CreditRefused::of(order));
                return Ok(Effects::none().event(refused));
            }
            Step::Release(order) => {
                account.release(&order.order_id);
                None
            }
        };
        let write = match read_version {
            Some(version) => Write::replace(&account, version),
            None => Write::create(&account),
        };
        Ok(event.into_iter().fold(Effects::none().write(write), Effects::event))
    }
}

/// The part of an order that the credit depends on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    order_id: String,
    customer: String,
    total_cents: u64,
}

/// A step of the saga.
#[derive(Debug)]
enum Step {
    Reserve(Order),
    Release(Order),
}

impl TryFrom<Envelope<Value>> for Step {
    type Error = FieldErrors;

    fn try_from(envelope: Envelope<Value>) -> Result<Self, FieldErrors> {
        match envelope.event_type.as_str() {
            "OrderPlaced" => envelope.read().map(Self::Reserve),
            "OrderCancelled" => envelope.read().map(Self::Release),
            _ => Err(envelope.unknown_type()),
        }
    }
}

impl Step {
    fn order(&self) -> &Order {
        let (Self::Reserve(order) | Self::Release(order)) = self;
        order
    }
}

/// The reservations of a customer, by order, and the orders whose release came first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    customer: String,
    reserved_cents: BTreeMap<String, u64>,
    #[serde(default)]
    released: BTreeSet<String>,
    version: u64,
}

impl Record for Account {
    const TABLE: TableName = ACCOUNTS;

    fn key(&self) -> Key {
        Key::new(&self.customer)
    }
}

impl Account {
    fn new(customer: &str) -> Self {
        Self {
            customer: customer.to_owned(),
            reserved_cents: BTreeMap::new(),
            released: BTreeSet::new(),
            version: 0,
        }
    }

    /// Reserves credit for an order. Returns whether there is enough.
    fn reserve(&mut self, order: &Order) -> bool {
        let reserved: u64 = self.reserved_cents.values().sum();
        let is_enough = reserved.saturating_add(order.total_cents) <= CREDIT_CENTS;
        if is_enough {
            self.reserved_cents.insert(order.order_id.clone(), order.total_cents);
        }
        is_enough
    }

    /// Gives the credit of an order back, or keeps it from reserving any.
    fn release(&mut self, order_id: &str) {
        if self.reserved_cents.remove(order_id).is_none() {
            self.released.insert(order_id.to_owned());
        }
    }
}

/// The credit of an order is reserved.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CreditReserved {
    order_id: String,
}

impl CreditReserved {
    fn of(order: &Order) -> Self {
        Self { order_id: order.order_id.clone() }
    }
}

impl EventData for CreditReserved {
    const TYPE: &'static str = "CreditReserved";
}

/// The customer has too little credit for an order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CreditRefused {
    order_id: String,
}

impl CreditRefused {
    fn of(order: &Order) -> Self {
        Self { order_id: order.order_id.clone() }
    }
}

impl EventData for CreditRefused {
    const TYPE: &'static str = "CreditRefused";
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use lifecycle::Timestamp;
    use lifecycle::testing::{self, Memory};

    use super::*;

    #[derive(Serialize)]
    struct OrderPlaced(Order);

    impl EventData for OrderPlaced {
        const TYPE: &'static str = "OrderPlaced";
    }

    #[tokio::test]
    async fn an_order_that_is_delivered_twice_reserves_once() {
        let memory = Memory::new();
        let reserve_credit = InMemory::new(&memory).consumer(build);
        let placed = testing::envelope("event-1", "o-1", &OrderPlaced(order("o-1", 700)));

        assert!(reserve_credit.messages(&[&placed]).await.failed.is_empty());
        assert!(reserve_credit.messages(&[&placed]).await.failed.is_empty());

        let account: Account = memory.get(&Key::new("ada")).unwrap();
        assert_eq!((account.version, account.reserved_cents["o-1"]), (1, 700));
        assert_eq!(memory.outbox().len(), 1);
    }

    fn order(order_id: &str, total_cents: u64) -> Order {
        Order { order_id: order_id.to_owned(), customer: "ada".to_owned(), total_cents }
    }

    fn decide(step: Step, stored: Option<Account>) -> Effects {
        let moment = Moment::new(Timestamp::from_millis(0), [0; 32]);
        ReserveCredit::decide(&moment, &step, stored).unwrap()
    }

    fn event_types(effects: &Effects) -> Vec<&str> {
        effects.events().iter().map(|event| event.event_type).collect()
    }

    #[test]
    fn an_order_within_the_credit_reserves_it_and_publishes_the_decision_in_one_commit() {
        let effects = decide(Step::Reserve(order("o-1", CREDIT_CENTS)), None);
        assert_eq!(effects.writes().len(), 1);
        assert_eq!(event_types(&effects), ["CreditReserved"]);
    }

    #[test]
    fn an_order_beyond_the_credit_is_refused_and_reserves_nothing() {
        let mut account = Account::new("ada");
        assert!(account.reserve(&order("o-1", CREDIT_CENTS)));
        let effects = decide(Step::Reserve(order("o-2", 1)), Some(account));
        assert!(effects.writes().is_empty());
        assert_eq!(event_types(&effects), ["CreditRefused"]);
    }

    #[test]
    fn a_cancelled_order_releases_its_credit() {
        let mut account = Account::new("ada");
        assert!(account.reserve(&order("o-1", CREDIT_CENTS)));
        let effects = decide(Step::Release(order("o-1", CREDIT_CENTS)), Some(account));
        assert_eq!((effects.writes().len(), effects.events().len()), (1, 0));
    }

    #[test]
    fn an_order_that_was_cancelled_before_it_arrives_reserves_nothing() {
        let mut account = Account::new("ada");
        account.release("o-1");
        let effects = decide(Step::Reserve(order("o-1", 1)), Some(account));
        assert_eq!((effects.writes().len(), effects.events().len()), (0, 0));
    }
}
