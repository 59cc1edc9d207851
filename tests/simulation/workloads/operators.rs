//! Operators: they redrive dead letters, rotate keys, deploy versions, change rules; and odd messages
//! come to the queues.

use serde_json::{Value, json};
use simulation::Millis;
use simulation::random::{Random, Seeded};
use simulation::services::{ACCOUNT_ID, REGION};
use simulation::world::{ApiAnswer, ApiRequest, Client, Planned, Workload};

use super::caller::{Caller, persist};
use super::day::day;
use crate::opening::open;
use crate::people::Person;

/// Operators with so many tasks.
#[derive(Debug, Clone)]
pub struct Operators {
    /// The tasks.
    pub tasks: usize,
    /// The functions that can be deployed.
    pub functions: Vec<String>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Moves the dead letters of a queue back.
    Redrive(&'static str),
    /// Sends a message that no consumer can read.
    Poison(&'static str, u64),
    /// Rotates the keys of tokens, and uses a new and an old token.
    Rotate,
    /// Deploys the second version of a function, and the first one again.
    Deploy(String),
    /// Deploys a version of a function that cannot start, and the first one again after some minutes.
    Break(String),
    /// Changes the rules.
    Rules(u64),
    /// Looks at the health.
    Health,
    /// The mail service reports that an address bounces.
    Bounce,
    /// A later version has stored a product that the present one cannot read.
    LaterVersion,
}

/// The queues, without `Queue`, whose messages are documents of ours.
const QUEUES: [&str; 6] = [
    "Emails",
    "CustomerApprovals",
    "OrderProjections",
    "CustomerSaga",
    "Callbacks",
    "ObjectExpiries",
];

/// The index of the version that cannot start: the third of each function.
const BROKEN_VERSION: usize = 2;

/// The functions of the saga: without one of the first two, orders time out, and without the last,
/// the credit of closed orders is released late.
const SAGA: [&str; 3] = ["ApproveCustomerFunction", "SettleOrderFunction", "RelayOutboxFunction"];

/// The life of a token, in which a rotation may take some minutes: its key must be known that long.
const VALID: Millis = Millis::seconds(900);
/// Longer than the keys of tokens are fresh, and than the verdict on a token is cached.
const CACHED: Millis = Millis::seconds(330);

/// Longer than an index lags.
const INDEXED: Millis = Millis::seconds(5);

/// The time until an operator sees that a version cannot start: longer than orders wait.
const BROKEN: (Millis, Millis) = (Millis::seconds(150), Millis::seconds(600));

/// A part of each message that no consumer can read.
pub(crate) const POISON: &str = "poison";

impl Workload for Operators {
    type Operation = Task;

    fn plan(&self, random: &mut Seeded) -> Vec<Planned<Task>> {
        let mut tasks: Vec<Task> = (0..self.tasks).map(|_| self.task(random)).collect();
        // A second rotation within the life of a token may withdraw its key.
        let mut has_rotated = false;
        tasks.retain(|task| *task != Task::Rotate || !std::mem::replace(&mut has_rotated, true));
        let within = day(self.tasks * 10, random);
        tasks.into_iter().map(|task| Planned::within(within, random, task)).collect()
    }

    async fn perform(&self, client: Client, task: &Task) {
        open(&client).await;
        match task {
            Task::Redrive(queue) => {
                let dead_letters = format!("{queue}DeadLetterQueue");
                client.redrive(&dead_letters, &format!("{queue}Queue")).await;
            }
            Task::Poison(queue, kind) => {
                send(&client, &format!("{queue}Queue"), poison(*kind, &client)).await;
            }
            Task::Rotate => rotate(&client).await,
            Task::Deploy(function) => {
                client.deploy(function, 1);
                client.wait(Millis::seconds(300)).await;
                client.deploy(function, 0);
            }
            Task::Break(function) => {
                client.deploy(function, BROKEN_VERSION);
                client.wait(BROKEN.0).await;
                client.think(BROKEN.1 - BROKEN.0).await;
                client.deploy(function, 0);
            }
            Task::Rules(quantity) => change_rules(&client, *quantity).await,
            Task::Health => {
                persist(&client, &ApiRequest::get("/healthcheck")).await;
                persist(&client, &ApiRequest::get("/.well-known/jwks.json")).await;
            }
            Task::Bounce => send(&client, "MailEventsQueue", bounce()).await,
            Task::LaterVersion => put_later_product(&client).await,
        }
    }
}

impl Operators {
    fn task(&self, random: &mut Seeded) -> Task {
        let queue = QUEUES[random.index(QUEUES.len())];
        match random.below(13) {
            0 => Task::Redrive(queue),
            1 | 2 => Task::Poison(queue, random.below(4)),
            3 | 4 => Task::Rotate,
            5 => Task::Deploy(self.function(random)),
            6 => Task::Rules(50 + random.below(50)),
            7 => Task::Health,
            8 => Task::Break(self.function(random)),
            9 => Task::Break(SAGA[random.index(SAGA.len())].to_owned()),
            10 | 11 => Task::Bounce,
            _ => Task::LaterVersion,
        }
    }

    fn function(&self, random: &mut Seeded) -> String {
        self.functions[random.index(self.functions.len())].clone()
    }
}

async fn send(client: &Client, queue: &str, body: String) {
    // It fails only for a queue that the template lacks, which a unit test of the names finds.
    let _ = client.send_message(queue, &body).await;
}

/// A message that no consumer can read, with a mark.
fn poison(kind: u64, client: &Client) -> String {
    let mark = format!("{POISON}-{}", client.operation());
    match kind {
        0 => mark,
        1 => json!({ "mark": mark }).to_string(),
        2 => json!([mark]).to_string(),
        _ => json!({
            "eventId": mark, "eventType": mark, "version": 1, "aggregateId": "1",
            "occurredAt": "2026-01-01T00:00:00.000Z", "requestId": "r", "data": {},
        })
        .to_string(),
    }
}

/// A permanent bounce, as SES reports it by EventBridge.
fn bounce() -> String {
    let address = Person::Bouncing.email();
    json!({
        "version": "0", "id": "bounce", "detail-type": "Email Bounced", "source": "aws.ses",
        "account": ACCOUNT_ID, "time": "2026-01-01T00:00:00Z", "region": REGION, "resources": [],
        "detail": {
            "eventType": "Bounce",
            "bounce": {
                "feedbackId": "1", "bounceType": "Permanent", "bounceSubType": "General",
                "bouncedRecipients": [{ "emailAddress": address, "action": "failed" }],
                "timestamp": "2026-01-01T00:00:00.000Z",
            },
            "mail": {
                "timestamp": "2026-01-01T00:00:00.000Z", "source": "no-reply@example.com",
                "messageId": "1", "destination": [address],
            },
        },
    })
    .to_string()
}

/// A product with a currency that the present version does not know, in the index of the others.
async fn put_later_product(client: &Client) {
    let items = client.items("ProductsTable");
    let Some(product) = items.iter().find(|item| item["productId"].is_object()) else { return };
    let id = product["productId"]["S"].as_str().unwrap_or_default();
    let text = product.to_string().replace(id, &client.uuid());
    let mut later: Value = serde_json::from_str(&text).unwrap_or_default();
    later["price"]["M"]["currency"] = json!({ "S": "XTS" });
    later["name"] = json!({ "S": format!("Later product {}", client.operation()) });
    let put = json!({ "TableName": client.physical("ProductsTable"), "Item": later });
    // Without the product, all clients read the catalogue as before.
    let _ = client.call("DynamoDB_20120810.PutItem", &put).await;
    client.wait(INDEXED).await;
    persist(client, &ApiRequest::get("/products?limit=100")).await;
}

/// A token of before the rotation must stay valid until its end, also when no cache has its key any
/// more, and a new one must be valid at once. Its first use begins the refresh of a cached key, and
/// the second is judged by the fresh one.
async fn rotate(client: &Client) {
    let before = Caller::of(client, Person::Customer(1));
    let Some(token) = before.sign_in().await else { return };
    let signed_in_at = client.now();
    let is_rotated = client.rotate("SigningKeysSecret").await.is_ok();
    let path = format!("/users/{}", Person::Customer(1).id());
    let status = |answer: Option<ApiAnswer>| answer.map(|it| it.status);
    let Some(new) = Caller::of(client, Person::Customer(1)).sign_in().await else { return };
    let with_new = status(persist(client, &ApiRequest::get(&path).bearer(&new)).await);
    client.note("rotated", json!({ "done": is_rotated, "new": with_new }));
    for _ in 0..2 {
        client.wait(CACHED).await;
        let with_old = status(persist(client, &ApiRequest::get(&path).bearer(&token)).await);
        if client.now().since(signed_in_at) < VALID {
            client.note("rotated", json!({ "done": is_rotated, "old": with_old }));
        }
    }
}

/// Changes the rules. Then another administrator, who has read the same version, must fail, and one
/// who wants to create them too.
async fn change_rules(client: &Client, quantity: u64) {
    let admin = Caller::of(client, Person::Admin);
    let Some(read) = admin.send(ApiRequest::get("/rules")).await else { return };
    let mut rules = read.json()["data"].clone();
    let Some(members) = rules.as_object_mut() else { return };
    members.remove("version");
    rules["quantityPerItem"] = json!(quantity);
    let tag = read.header("etag").unwrap_or("*").to_owned();
    let put = |rules: &Value| ApiRequest::new("PUT", "/rules").json(rules);
    admin.send(put(&rules).header("if-match", &tag)).await;
    rules["quantityPerItem"] = json!(quantity + 1);
    admin.send(put(&rules).header("if-match", &tag)).await;
    admin.send(put(&rules).header("if-none-match", "*")).await;
}
