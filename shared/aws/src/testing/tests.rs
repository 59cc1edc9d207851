//! Reads of a memory compared with those of `DynamoDB`, and the surroundings of functions.

mod api_keys;
mod consumer;
mod impossible_keys;
mod invocations;
mod lost_responses;
mod simulated;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use http::{Request, Response};
use lifecycle::caller::{Anyone, TokenVerifier};
use lifecycle::effects::{QueueName, Write};
use lifecycle::paging::Direction;
use lifecycle::ports::{Store, Transaction};
use lifecycle::record::{Excerpt, IndexKey, IndexName, Key, Record, TableName};
use lifecycle::resource::{Action, Resource};
use lifecycle::testing::{Memory, permit};
use lifecycle::{Claims, Moment, Permit, ServiceError, Timestamp, Upstream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::InMemory;
use crate::tests::stores::{PRODUCTS, Stores, VISITS};
use crate::upstream;
use crate::{Aws, Positioned, Range, SIGNING_KEYS, Table, VERIFICATION_KEYS, batch_get};

const BY_CREATION: IndexName = IndexName::new("by_creation");
const PARTNER: Upstream = Upstream::new("partner");

/// A record in an index, unless its number is divisible by seven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Product {
    number: u32,
    padding: String,
}

impl Record for Product {
    const TABLE: TableName = PRODUCTS;

    fn key(&self) -> Key {
        Key::new(self.number)
    }

    fn indexed(&self) -> Vec<IndexKey> {
        let place = || IndexKey::sharded(BY_CREATION, self.number, position(self.number));
        (!self.number.is_multiple_of(7)).then(place).into_iter().collect()
    }
}

/// An excerpt of a product.
#[derive(Debug, PartialEq, Deserialize)]
struct Numbered {
    number: u32,
    /// `ATTRIBUTES` does not name it.
    padding: Option<String>,
}

impl Excerpt for Numbered {
    type Of = Product;
    const ATTRIBUTES: &'static [&'static str] = &["number"];
}

/// A record of a table that names the attributes of its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Visit {
    customer: String,
    at: String,
}

impl Record for Visit {
    const TABLE: TableName = VISITS;

    fn key(&self) -> Key {
        Key::sorted(&self.customer, &self.at)
    }
}

fn position(number: u32) -> String {
    format!("2026-01-01#{number:03}")
}

fn product(number: u32) -> Product {
    Product { number, padding: String::new() }
}

fn visit(number: u32) -> Visit {
    Visit { customer: "ann".to_owned(), at: position(number) }
}

fn uses() -> [Resource; 3] {
    [
        Resource::Table(PRODUCTS, &[Action::GetItem, Action::BatchGetItem]),
        Resource::Index(PRODUCTS, BY_CREATION),
        Resource::Table(VISITS, &[Action::BatchGetItem, Action::Query]),
    ]
}

fn admitted() -> Permit<Anyone> {
    permit(Anyone, Moment::new(Timestamp::from_millis(0), [0; 32]))
}

/// `DynamoDB`, and a memory, with the same records.
async fn both(writes: Vec<Write>) -> [Aws; 2] {
    let memory = Memory::new();
    let both = [Stores::start().await.aws, InMemory::new(&memory).connect(&uses())];
    for aws in &both {
        for (number, writes) in writes.chunks(8).enumerate() {
            let transaction = Transaction { token: number.to_string(), writes: writes.to_vec() };
            aws.commit(&transaction).await.unwrap();
        }
    }
    both
}

fn read<R>(found: Vec<Positioned<R>>) -> Vec<(String, R)> {
    found.into_iter().map(|found| (found.position, found.record)).collect()
}

#[tokio::test]
async fn a_range_of_a_memory_has_the_records_and_the_order_of_dynamodb() {
    let products = (0..30).map(|number| Write::put(&product(number)));
    let visits = (0..30).map(|number| Write::put(&visit(number)));
    let [dynamodb, memory] = both(products.chain(visits).collect()).await;
    let ann = || Range::partition("ann");
    let all = || Range::sharded(BY_CREATION);
    for limit in [1, 3, 100] {
        for range in parts_of(&ann()) {
            assert_same::<Visit>(&dynamodb, &memory, &range, limit).await;
        }
        for range in parts_of(&all()) {
            assert_same::<Product>(&dynamodb, &memory, &range, limit).await;
        }
    }
    assert_eq!(read_of::<Visit>(&memory, &Range::partition("ben"), 9).await, []);
    assert_eq!(read_of::<Visit>(&memory, &ann(), 100).await.len(), 30);
    assert_eq!(read_of::<Product>(&memory, &all(), 100).await.len(), 25);
}

/// Parts of a range, in both directions.
fn parts_of(range: &Range) -> Vec<Range> {
    let beginning = "2026-01-01#00";
    let whole = || range.clone();
    let parts = [
        whole(),
        whole().after(position(4)),
        whole().up_to(position(4)),
        whole().between(position(3), position(11)),
        whole().starting_with(beginning),
        whole().starting_with(beginning).after(position(8)),
        whole().between(position(3), position(11)).after(position(1)),
    ];
    let directions = [Direction::Ascending, Direction::Descending];
    let ordered = |part: Range| directions.map(|direction| part.clone().ordered(direction));
    parts.into_iter().flat_map(ordered).collect()
}

async fn assert_same<R: Record + PartialEq + std::fmt::Debug>(
    dynamodb: &Aws,
    memory: &Aws,
    range: &Range,
    limit: usize,
) {
    let expected = read_of::<R>(dynamodb, range, limit).await;
    assert_eq!(read_of::<R>(memory, range, limit).await, expected, "{limit} of {range:?}");
}

async fn read_of<R: Record>(aws: &Aws, range: &Range, limit: usize) -> Vec<(String, R)> {
    read(aws.table::<R>().first_of(&admitted(), range, limit).await.unwrap())
}

#[tokio::test]
async fn a_response_ends_at_one_megabyte_and_the_read_continues_behind_it() {
    let padded = |number| Product { padding: "x".repeat(300_000), ..product(number) };
    let [dynamodb, memory] =
        both((1..40).map(|number| Write::put(&padded(number))).collect()).await;
    for aws in [&dynamodb, &memory] {
        let request = aws.dynamodb().query().table_name(aws.table_name(PRODUCTS).unwrap());
        let request = request
            .index_name(BY_CREATION.name())
            .key_condition_expression("#partition = :partition")
            .expression_attribute_names("#partition", BY_CREATION.partition_attribute())
            .expression_attribute_values(":partition", AttributeValue::S("0".to_owned()));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.count(), 3, "four items would be 1.2 MB");
        let mut start: Vec<_> = answer.last_evaluated_key.unwrap().into_keys().collect();
        start.sort_unstable();
        assert_eq!(start, ["by_creation_pk", "by_creation_sk", "pk"]);
    }
    let all = Range::sharded(BY_CREATION);
    assert_same::<Product>(&dynamodb, &memory, &all, 100).await;
}

#[tokio::test]
async fn records_are_read_by_key_alone_or_together() {
    let [dynamodb, memory] = both(vec![Write::put(&product(1)), Write::put(&visit(2))]).await;
    for aws in [dynamodb, memory] {
        let (products, visits): (Table<Product>, Table<Visit>) = (aws.table(), aws.table());
        let found = products.get(&admitted(), &Key::new(1)).await.unwrap();
        assert_eq!(found, Some(product(1)));
        assert_eq!(products.get(&admitted(), &Key::new(2)).await.unwrap(), None);
        let wanted = (products.many([2, 1, 1].map(Key::new)), visits.one(visit(2).key()));
        let found = batch_get(&admitted(), wanted).await.unwrap();
        assert_eq!(found, (vec![None, Some(product(1)), Some(product(1))], Some(visit(2))));
    }
}

#[tokio::test]
async fn an_excerpt_has_only_its_attributes_unless_the_records_are_read_too() {
    let [dynamodb, memory] = both(vec![Write::put(&product(1)), Write::put(&visit(2))]).await;
    for aws in [dynamodb, memory] {
        let (products, visits): (Table<Product>, Table<Visit>) = (aws.table(), aws.table());
        let excerpts = products.excerpts::<Numbered>([2, 1, 1].map(Key::new));
        let wanted = (excerpts, visits.one(visit(2).key()));
        let (found, other) = batch_get(&admitted(), wanted).await.unwrap();
        let one = || Some(Numbered { number: 1, padding: None });
        assert_eq!((found, other), (vec![None, one(), one()], Some(visit(2))));

        let both = (products.excerpt::<Numbered>(Key::new(1)), products.one(Key::new(1)));
        let (excerpt, record) = batch_get(&admitted(), both).await.unwrap();
        assert_eq!(record, Some(product(1)));
        assert_eq!(excerpt.unwrap().padding, Some(String::new()), "one call reads a table alike");
    }
}

/// The causes of a fault, as the log has them.
fn causes(fault: &ServiceError) -> String {
    let mut causes = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(fault);
    while let Some(error) = next {
        causes.push(format!("{error} {error:?}"));
        next = error.source();
    }
    causes.join("\n")
}

#[tokio::test]
async fn a_read_that_the_function_does_not_declare_is_denied() {
    let aws =
        InMemory::new(&Memory::new()).connect(&[Resource::Table(PRODUCTS, &[Action::PutItem])]);
    let products = aws.table::<Product>();
    let got = products.get(&admitted(), &Key::new(1)).await.unwrap_err();
    let together = batch_get(&admitted(), products.one(Key::new(1))).await.unwrap_err();
    let index = Range::sharded(BY_CREATION);
    let listed = products.first_of(&admitted(), &index, 1).await.unwrap_err();
    let partition = products.first_of(&admitted(), &Range::partition("1"), 1).await.unwrap_err();
    for (fault, lacks) in [
        (got, "RESOURCES lacks GetItem on the table products"),
        (together, "RESOURCES lacks BatchGetItem on the table products"),
        (listed, "RESOURCES lacks the index by_creation of the table products"),
        (partition, "RESOURCES lacks Query on the table products"),
    ] {
        assert!(matches!(fault, ServiceError::Internal(_)), "{fault:?}");
        assert!(causes(&fault).contains(lacks), "{}", causes(&fault));
    }
}

#[tokio::test]
async fn a_request_that_a_memory_cannot_perform_is_an_error_with_the_reason() {
    let aws = InMemory::new(&Memory::new()).connect(&uses());
    let scan = aws.dynamodb().scan().table_name("products").send().await.unwrap_err();
    assert!(format!("{scan:?}").contains("Scan is not supported in memory"), "{scan:?}");
    let filtered = aws.dynamodb().query().table_name("visits").filter_expression("x = y");
    let filtered = filtered.send().await.unwrap_err();
    assert!(format!("{filtered:?}").contains("FilterExpression"), "{filtered:?}");
}

#[tokio::test]
async fn an_empty_key_and_repeated_keys_are_refused_as_by_dynamodb() {
    let aws = InMemory::new(&Memory::new()).connect(&uses());
    let empty = || AttributeValue::S(String::new());
    let item = aws.dynamodb().get_item().table_name("products").key("pk", empty()).send().await;
    let query = aws.dynamodb().query().table_name("visits");
    let query = query
        .key_condition_expression("#partition = :partition")
        .expression_attribute_names("#partition", "customer")
        .expression_attribute_values(":partition", empty());
    for refused in [format!("{item:?}"), format!("{:?}", query.send().await)] {
        let reason = "a key attribute cannot contain an empty string value";
        assert!(refused.contains(reason), "{refused}");
    }

    let key = || HashMap::from([("pk".to_owned(), AttributeValue::S("1".to_owned()))]);
    let together = |count| {
        let keys = KeysAndAttributes::builder().set_keys(Some(vec![key(); count])).build();
        aws.dynamodb().batch_get_item().request_items("products", keys.unwrap()).send()
    };
    for (count, reason) in [(1, None), (2, Some("contains duplicates")), (101, Some("100 keys"))] {
        let shown = format!("{:?}", together(count).await);
        assert!(reason.is_none_or(|reason| shown.contains(reason)), "{count}: {shown}");
        assert_eq!(shown.starts_with("Ok"), reason.is_none(), "{count}: {shown}");
    }
}

#[tokio::test]
async fn writes_and_counts_of_stage_6_change_the_memory() {
    let memory = Memory::new();
    let aws = InMemory::new(&memory).connect(&[Resource::Table(VISITS, &[Action::PutItem])]);
    aws.audit_log::<Visit>().append(&admitted(), &visit(1)).await;
    assert_eq!(memory.get::<Visit>(&visit(1).key()), Some(visit(1)));
    assert_eq!(memory.commits().len(), 1);
}

#[tokio::test]
async fn an_update_creates_an_item_with_the_key_names_of_its_table() {
    let memory = Memory::new();
    let aws = InMemory::new(&memory).connect(&uses());
    aws.write(Write::update::<Visit>(visit(1).key()).add("times", 1)).await.unwrap();
    assert_eq!(memory.get::<Visit>(&visit(1).key()), Some(visit(1)));
    assert_eq!(read_of::<Visit>(&aws, &Range::partition("ann"), 9).await.len(), 1);
}

#[tokio::test]
async fn tokens_that_a_function_signs_are_valid_for_the_verifier() {
    let surroundings = InMemory::new(&Memory::new());
    let aws = surroundings.connect(&[Resource::Secret(SIGNING_KEYS)]);
    let signer = aws.signing_keys().signer(&admitted()).await.unwrap();
    let now = Timestamp::from_millis(1_800_000_000_000);
    let claims = Claims::from_iter([("sub".to_owned(), Value::from("ann"))]);
    let token = signer.sign(&claims, now, 60);
    let aws = surroundings.connect(&[Resource::Secret(VERIFICATION_KEYS)]);
    assert_eq!(aws.verifier().verify(&token, now).await.unwrap()["sub"], "ann");
}

#[tokio::test]
async fn secrets_and_variables_have_the_values_of_the_test() {
    const RESOURCES: &[Resource] = &[
        Resource::Secret("greeting"),
        Resource::PublicUrl,
        Resource::Variable { name: "UPLOADS_BUCKET", refers_to: "UploadsBucket" },
    ];
    let surroundings = InMemory::new(&Memory::new()).secret("greeting", "hello");
    let aws =
        surroundings.clone().variable("PUBLIC_URL", "https://shop.example.com").connect(RESOURCES);
    let greeting = aws.secret("greeting", |text| Ok(text.to_owned()));
    assert_eq!(*greeting.read().await.unwrap(), "hello");
    assert_eq!(aws.public_url(), "https://shop.example.com");
    assert_eq!(aws.variable("UPLOADS_BUCKET"), "uploads_bucket");
}

#[tokio::test]
async fn the_dependencies_of_a_function_under_test_are_healthy() {
    const QUEUE: QueueName = QueueName::new("emails");
    let uses = [
        Resource::Table(PRODUCTS, &[Action::GetItem]),
        Resource::ReadAttributes(QUEUE),
        Resource::Secret(SIGNING_KEYS),
    ];
    let aws = InMemory::new(&Memory::new()).connect(&uses);
    aws.probe_table(&admitted(), PRODUCTS).await.unwrap();
    aws.probe_queue(&admitted(), QUEUE).await.unwrap();
    aws.probe_secret(&admitted(), SIGNING_KEYS).await.unwrap();
}

#[test]
#[should_panic(expected = "the test sets no text of secret greeting")]
fn a_secret_without_a_text_is_a_defect_of_the_test() {
    let _ = InMemory::new(&Memory::new()).connect(&[Resource::Secret("greeting")]);
}

#[tokio::test]
async fn an_upstream_has_the_responses_of_the_test_and_no_other_host_is_called() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let respond = move |request: &Request<Vec<u8>>| {
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        log.lock().unwrap().push((request.uri().path().to_owned(), body));
        Response::builder().status(201).body(b"{\"id\":7}".to_vec()).unwrap()
    };
    let surroundings = InMemory::new(&Memory::new()).upstream(PARTNER, respond);
    let uses = [Resource::Upstream(PARTNER), Resource::Upstream(Upstream::new("other"))];
    let aws = surroundings.connect(&uses);
    let request = upstream::Request::post_json("/orders", &json!({ "name": "lamp" }));
    let answer = aws.upstream(PARTNER).send(&admitted(), &request).await.unwrap();
    assert_eq!((answer.status.as_u16(), &*answer.body), (201, &b"{\"id\":7}"[..]));
    let expected = ("/orders".to_owned(), json!({ "name": "lamp" }));
    assert_eq!(*seen.lock().unwrap(), [expected]);
    let other = aws.upstream(Upstream::new("other"));
    assert!(other.send(&admitted(), &request).await.is_err(), "it has no responses");
}

#[tokio::test]
async fn a_sequence_of_a_memory_counts_from_1() {
    let uses = [Resource::Table(PRODUCTS, &[Action::UpdateItem])];
    let aws = InMemory::new(&Memory::new()).connect(&uses);
    let (sequence, permit) = (aws.sequence::<Product>(Key::new("a"), "number"), admitted());
    for expected in 1..=3 {
        assert_eq!(sequence.next(&permit).await.unwrap(), expected);
    }
}
