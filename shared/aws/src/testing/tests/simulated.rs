//! A simulated endpoint: the same seed makes the same calls and the same log, byte for byte.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use lifecycle::effects::EventData;
use lifecycle::prelude::*;
use lifecycle::record::{Key, Record, TableName};
use lifecycle::testing::simulated::{Surroundings, start, within};
use lifecycle::{Endpoint, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::invocations::invocation;
use crate::testing::{AsyncRespond, Connector, ConnectorFailure, connector};
use crate::{Aws, Table};

const BOOKS: TableName = TableName::new("books");

#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
struct Book {
    title: String,
    author: String,
    shelf: String,
    lent: u32,
    version: u64,
}

impl Record for Book {
    const TABLE: TableName = BOOKS;

    fn key(&self) -> Key {
        Key::new(&self.title)
    }
}

#[derive(Serialize)]
struct Lent {
    title: String,
    loan: String,
}

impl EventData for Lent {
    const TYPE: &'static str = "Lent";
}

#[derive(Debug, eserde::Deserialize, schemars::JsonSchema)]
struct Wanted {
    title: String,
}

/// Lends a book: a read, and a commit with an event and a stored response.
struct PostLoan {
    books: Table<Book>,
}

/// The book as it is lent, and the id of its loan.
struct Loan(Book, String);

fn main_of_post_loan() -> ExitCode {
    crate::serve(|aws: &Aws| PostLoan { books: aws.table() })
}

impl Endpoint for PostLoan {
    const ROUTE: Route = Route::post("/loans");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
    const RESOURCES: Resources = &[Resource::Table(BOOKS, &[GetItem, PutItem]), Resource::Outbox];
    type Input = Json<Wanted>;
    type Command = Wanted;
    type Facts = Book;

    async fn retrieve(&self, permit: &Permit<Anyone>, wanted: &Wanted) -> Retrieved<Book> {
        let book = self.books.get(permit, &Key::new(&wanted.title)).await?;
        book.ok_or(RetrieveError::NotFound)
    }

    const ALLOW: Allow<Self> = Allow::Always;
    const CONDITIONS: Conditions<Book> = Conditions::Untagged;
    type Outcome = Loan;

    fn decide(moment: &Moment, _: &Anyone, _: &Wanted, book: Book) -> Result<Loan, DomainError> {
        let lent = Book { lent: book.lent + 1, version: book.version + 1, ..book };
        Ok(Loan(lent, moment.id("loan").to_string()))
    }

    fn effects(Loan(book, loan): &Loan) -> Effects {
        let lent = Lent { title: book.title.clone(), loan: loan.clone() };
        Effects::none()
            .write(Write::replace(book, book.version - 1))
            .event(Event::about(&book.title, &lent))
    }

    type Reply = reply::Ok<Book>;

    fn reply(Loan(book, _): Loan) -> reply::Ok<Book> {
        reply::Ok::of(book)
    }
}

/// A seed's time, random bytes and log.
struct Seeded {
    began: Instant,
    state: Mutex<u64>,
    lines: Mutex<Vec<String>>,
}

impl Surroundings for Seeded {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        Timestamp::from_millis(1_800_000_000_000 + passed)
    }

    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.state.lock().unwrap();
        for byte in bytes {
            // Numerical Recipes' linear congruential generator: its upper bits vary enough here.
            *state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = state.to_be_bytes()[0];
        }
    }

    fn log(&self, line: &str) {
        self.lines.lock().unwrap().push(line.to_owned());
    }
}

/// Tables that break the first connection, and that are busy at the first two commits.
struct Busy {
    began: Instant,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Busy {
    /// Notes a call, and returns the number of calls with this target before it.
    fn note(&self, target: &str, request: &Request<Vec<u8>>) -> usize {
        let mut calls = self.calls.lock().unwrap();
        let before = calls.iter().filter(|call| call.starts_with(target)).count();
        let at = self.began.elapsed();
        let body = String::from_utf8_lossy(request.body());
        let head = (request.method(), request.uri(), request.headers());
        calls.push(format!("{target} at {at:?} {head:?} {body}"));
        before
    }
}

#[async_trait]
impl AsyncRespond for Busy {
    async fn respond(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, ConnectorFailure> {
        let target = request.headers().get("x-amz-target");
        let target = target.map_or("", |target| target.to_str().unwrap()).to_owned();
        let before = self.note(&target, &request);
        sleep(Duration::from_millis(7)).await;
        let (status, body) = match (target.split('.').next_back(), before) {
            (Some("GetItem"), 0) => return Err(ConnectorFailure::Reset),
            (Some("GetItem"), _) => (
                200,
                json!({ "Item": {
                "pk": { "S": "Emma" }, "title": { "S": "Emma" }, "author": { "S": "Jane Austen" },
                "shelf": { "S": "A" }, "lent": { "N": "0" }, "version": { "N": "1" },
            } }),
            ),
            (Some("UpdateItem"), _) => (200, json!({ "Attributes": { "total": { "N": "1" } } })),
            (Some("TransactWriteItems"), 0 | 1) => (400, cancelled()),
            _ => (200, json!({})),
        };
        let response = Response::builder().status(status);
        Ok(response.body(body.to_string().into_bytes()).unwrap())
    }
}

fn cancelled() -> Value {
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "Transaction cancelled",
        "CancellationReasons": [
            { "Code": "TransactionConflict" }, { "Code": "None" }, { "Code": "None" },
        ],
    })
}

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "AWS_REGION" => "eu-central-1",
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "simulated",
        "BOOKS_TABLE" => "books",
        "LEDGER_TABLE" => "ledger",
        "LIMITS_TABLE" => "limits",
        "OUTBOX_TABLE" => "outbox",
        _ => return None,
    };
    Some(value.to_owned())
}

async fn lend(network: &Connector) -> Value {
    let post_loan = network.scope(|| start(Arc::new(variable), main_of_post_loan)).unwrap();
    post_loan.initialise().await;
    let (body, key) = (json!({ "title": "Emma" }), ("idempotency-key", "k-1"));
    let invocation = invocation("POST", "/loans", &body, &[key]);
    // It has no tertiary effects, so nothing is left to do after the response.
    let returned = post_loan.invoke(invocation).await.unwrap();
    assert!(returned.deferred.is_none());
    returned.payload
}

/// The calls, the lines and the response of a run.
#[derive(Debug, PartialEq)]
struct Run {
    calls: Vec<String>,
    lines: Vec<String>,
    payload: Value,
}

/// Runs the simulation on a new runtime, with a seed or with the system's randomness.
fn run(seed: Option<u64>) -> Run {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let began = Instant::now();
        let calls = Arc::<Mutex<Vec<String>>>::default();
        let network = connector(Busy { began, calls: Arc::clone(&calls) });
        let state = Mutex::new(seed.unwrap_or_default());
        let surroundings = Arc::new(Seeded { began, state, lines: Mutex::default() });
        let payload = match seed {
            Some(_) => within(surroundings.clone(), lend(&network)).await,
            None => lend(&network).await,
        };
        let calls = calls.lock().unwrap().clone();
        let lines = surroundings.lines.lock().unwrap().clone();
        Run { calls, lines, payload }
    })
}

#[test]
fn a_seed_decides_each_byte_of_calls_log_and_response() {
    let first = run(Some(1));

    assert_eq!(first.payload["statusCode"], 200, "{first:#?}");
    let commits = first.calls.iter().filter(|call| call.contains("TransactWriteItems"));
    assert_eq!(commits.count(), 3, "two conflicts, and the commit: {first:#?}");
    assert!(first.calls.iter().any(|call| call.contains("attempt=2")), "{first:#?}");
    assert!(first.lines.iter().any(|line| line.contains("\"attempts\":3")), "{first:#?}");
    assert_eq!(first, run(Some(1)));
    assert_ne!(first.calls, run(Some(2)).calls);
}

#[test]
fn without_surroundings_the_randomness_is_the_systems() {
    let [first, second] = [run(None), run(None)];
    assert_eq!(first.payload["statusCode"], 200, "{first:#?}");
    assert_eq!(first.lines, [] as [String; 0]);
    assert_ne!(first.calls, second.calls, "other ids");
}

#[tokio::test]
async fn a_client_of_a_simulated_function_can_have_a_retry_quota() {
    let network = connector(Busy { began: Instant::now(), calls: Arc::default() });
    let mut has_quota = false;
    let main = || {
        crate::serve(|aws: &Aws| {
            has_quota = aws.retry_partition().is_some();
            PostLoan { books: aws.table() }
        })
    };

    let started = network.scope(|| start(Arc::new(variable), main));

    assert!(started.is_ok());
    assert!(has_quota, "otherwise it shares the quota of the process");
}
