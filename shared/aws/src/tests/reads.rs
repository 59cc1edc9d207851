//! Records by key, and secrets.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use lifecycle::effects::Write;
use lifecycle::ports::Store;
use lifecycle::record::{Key, Record, Singleton, TableName};
use lifecycle::testing::permit;
use lifecycle::{Anyone, FieldErrors, Moment, RetrieveError, ServiceError, Timestamp};
use serde::{Deserialize, Serialize};

use super::commits::{Event, Product, commit, product};
use super::stores::{OUTBOX, PRODUCTS, Stores};
use crate::OrNotFound;
use crate::dynamodb::batch_get::{KEYS_MAX, gather, gather_as};
use crate::dynamodb::expressions::key_of;

#[tokio::test]
async fn a_record_is_read_or_absent() {
    let aws = Stores::start().await.aws;
    commit(&aws, "1", vec![Write::create(&product("a", 5))]).await.unwrap();
    let table = aws.table::<Product>();
    assert_eq!(table.load(&Key::new("a"), true).await.unwrap(), Some(product("a", 5)));
    let missing = table.load(&Key::new("b"), false).await.unwrap();
    assert!(matches!(missing.or_not_found(), Err(RetrieveError::NotFound)));
}

#[tokio::test]
async fn tables_with_and_without_a_sort_key_can_be_probed() {
    let aws = Stores::start().await.aws;
    let permit = permit(Anyone, Moment::new(Timestamp::from_millis(0), [0; 32]));
    for table in [PRODUCTS, OUTBOX] {
        aws.probe_table(&permit, table).await.unwrap();
    }
}

#[tokio::test]
async fn many_records_keep_the_order_gaps_and_repetitions_of_their_keys() {
    let aws = Stores::start().await.aws;
    let create = (0..60).map(|n| Write::create(&product(&n.to_string(), n)));
    commit(&aws, "1", create.collect()).await.unwrap();
    let keys = [59, 3, 99, 3].into_iter().chain(0..60).map(Key::new);
    let read = gather(aws.table::<Product>().many(keys)).await.unwrap();
    let stocks: Vec<_> = read.iter().map(|found| found.as_ref().map(|it| it.stock)).collect();
    assert_eq!(stocks[..4], [Some(59), Some(3), None, Some(3)]);
    assert_eq!(stocks[4..], (0..60).map(Some).collect::<Vec<_>>());
    assert_eq!(gather(aws.table::<Product>().many([])).await.unwrap(), []);
}

#[tokio::test]
async fn one_call_reads_records_of_several_tables() {
    let aws = Stores::start().await.aws;
    let event = Event { order: "o".to_owned(), number: 1 };
    let writes = vec![Write::create(&product("a", 5)), Write::create(&event)];
    commit(&aws, "1", writes).await.unwrap();
    let (products, events) = (aws.table::<Product>(), aws.table::<Event>());
    let wanted = (
        events.one(event.key()),
        products.many(["a", "b"].map(Key::new)),
        events.one(Key::sorted("o", 2)),
    );
    let found = gather(wanted).await.unwrap();
    assert_eq!(found, (Some(event), vec![Some(product("a", 5)), None], None));
}

#[tokio::test]
async fn records_that_may_lag_are_found_and_missing_ones_are_read_again() {
    let aws = Stores::start().await.aws;
    commit(&aws, "1", vec![Write::create(&product("a", 5))]).await.unwrap();
    let products = aws.table::<Product>();
    let one = |key| products.one(Key::new(key));
    for may_lag in [true, false] {
        let found = gather_as((one("a").lagging(), one("b").lagging()), may_lag).await.unwrap();
        assert_eq!(found, (Some(product("a", 5)), None), "{may_lag}");
        let found = gather_as((one("a").guarded(), one("b").guarded()), may_lag).await.unwrap();
        assert_eq!(found, (Some(product("a", 5)), None), "{may_lag}");
    }
}

/// A record of a table without a sort key, with a field that has the name of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sketch {
    id: String,
    sk: String,
}

impl Record for Sketch {
    const TABLE: TableName = PRODUCTS;

    fn key(&self) -> Key {
        Key::new(&self.id)
    }
}

#[tokio::test]
async fn a_field_with_the_name_of_a_sort_key_is_no_part_of_a_key() {
    let aws = Stores::start().await.aws;
    let sketch = Sketch { id: "a".to_owned(), sk: "x".to_owned() };
    commit(&aws, "1", vec![Write::create(&sketch)]).await.unwrap();
    let table = aws.table::<Sketch>();
    assert_eq!(table.load(&Key::new("a"), true).await.unwrap(), Some(sketch.clone()));
    let found = gather(table.many([Key::new("b"), Key::new("a")])).await.unwrap();
    assert_eq!(found, [None, Some(sketch.clone())]);
    let found = gather_as(table.one(Key::new("a")).lagging(), true).await.unwrap();
    assert_eq!(found, Some(sketch));
}

#[tokio::test]
async fn a_key_that_no_item_can_have_finds_nothing() {
    let aws = Stores::start().await.aws;
    let longest = "x".repeat(2048);
    let writes = ["a", longest.as_str()].map(|id| Write::create(&product(id, 5)));
    commit(&aws, "1", writes.into()).await.unwrap();
    let (products, events) = (aws.table::<Product>(), aws.table::<Event>());
    let found = products.load(&Key::new(&longest), true).await.unwrap();
    assert_eq!(found, Some(product(&longest, 5)));
    for text in [String::new(), "x".repeat(2049)] {
        let key = Key::new(&text);
        assert_eq!(products.load(&key, true).await.unwrap(), None);
        assert_eq!(aws.read(PRODUCTS, &key).await.unwrap(), None);
        let alone = gather_as(products.one(key.clone()).lagging(), true).await.unwrap();
        assert_eq!(alone, None);
        let among = gather(products.many([key, Key::new("a")])).await.unwrap();
        assert_eq!(among, [None, Some(product("a", 5))]);
    }
    for sort_key in [String::new(), "x".repeat(1025)] {
        let key = Key::sorted("o", sort_key);
        assert_eq!(events.load(&key, true).await.unwrap(), None);
        assert_eq!(gather(events.one(key)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_fault_of_a_call_names_all_its_tables() {
    let aws = Stores::start().await.aws;
    let without_sort_key = aws.table::<Event>().one(Key::new("o"));
    let read = gather((aws.table::<Product>().one(Key::new("a")), without_sort_key)).await;
    let Err(ServiceError::Internal(error)) = read else {
        panic!("a key without its sort key must be refused: {read:?}")
    };
    assert_eq!(error.to_string(), "BatchGetItem on outbox, products failed");
}

#[tokio::test]
async fn more_keys_than_one_call_accepts_are_an_internal_fault() {
    let aws = Stores::start().await.aws;
    let keys = (0..=KEYS_MAX).map(Key::new);
    let read = gather(aws.table::<Product>().many(keys)).await;
    assert!(matches!(read, Err(ServiceError::Internal(_))));
}

#[tokio::test]
async fn any_number_of_readable_records_is_read_in_the_order_of_their_keys() {
    let aws = Stores::start().await.aws;
    let create = ["0", "99", "100"].map(|id| Write::create(&product(id, 5)));
    commit(&aws, "1", create.into()).await.unwrap();
    let mut item = key_of(PRODUCTS, &Key::new("7"));
    item.insert("stock".to_owned(), AttributeValue::S("many".to_owned()));
    let put = aws.dynamodb().put_item().table_name("PRODUCTS_TABLE");
    put.set_item(Some(item)).send().await.unwrap();
    let permit = permit(Anyone, Moment::new(Timestamp::from_millis(0), [0; 32]));
    let keys: Vec<Key> = (0..=KEYS_MAX).rev().map(Key::new).collect();
    let found = aws.table::<Product>().get_many_readable(&permit, &keys).await.unwrap();
    assert_eq!(found, ["100", "99", "0"].map(|id| product(id, 5)));
}

#[tokio::test]
async fn an_item_that_is_not_such_a_record_is_a_fault_that_names_it() {
    let aws = Stores::start().await.aws;
    let key = Key::new("a");
    let mut item = key_of(PRODUCTS, &key);
    item.insert("stock".to_owned(), AttributeValue::S("many".to_owned()));
    let put = aws.dynamodb().put_item().table_name("PRODUCTS_TABLE");
    put.set_item(Some(item)).send().await.unwrap();
    let Err(ServiceError::Internal(error)) = aws.table::<Product>().load(&key, true).await else {
        panic!("the item must not be readable")
    };
    let said = error.to_string();
    assert!(said.contains("table products") && said.contains("\"a\""), "{said}");
    assert!(!said.contains("many"), "the stored value is not repeated: {said}");
    assert!(aws.read(PRODUCTS, &key).await.unwrap().is_some());
}

#[tokio::test]
async fn the_last_good_setting_stays_in_effect_while_a_bad_one_is_stored() {
    let aws = Stores::start().await.aws;
    let first = aws.setting::<Limits>();
    assert_eq!(first.read().await.unwrap(), Limits::default());
    tokio::time::pause();
    for (stored, expected) in [(7, 7), (0, 7), (9, 9)] {
        commit(&aws, &stored.to_string(), vec![Write::put(&Limits { most: stored, version: 1 })])
            .await
            .unwrap();
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(first.read().await.unwrap().most, expected, "{stored} is stored");
    }
}

#[tokio::test]
async fn an_invalid_stored_singleton_is_an_internal_fault() {
    let aws = Stores::start().await.aws;
    let table = aws.table::<Limits>();
    assert_eq!(table.load_the_one(true).await.unwrap(), Limits::default());
    commit(&aws, "1", vec![Write::put(&Limits { most: 0, version: 1 })]).await.unwrap();
    let Err(ServiceError::Internal(error)) = table.load_the_one(true).await else {
        panic!("the item must not be readable")
    };
    assert!(error.to_string().ends_with("cannot be read: not valid: /most"), "{error}");
}

#[tokio::test]
async fn an_unreadable_singleton_is_replaced_if_its_version_is_unchanged() {
    let aws = Stores::start().await.aws;
    let table = aws.table::<Limits>();
    let number = |text: &str| Some(AttributeValue::N(text.to_owned()));
    let text = |text: &str| Some(AttributeValue::S(text.to_owned()));
    for (most, version, next) in [
        (number("0"), number("7"), 8),
        (text("many"), number("8"), 9),
        (None, number("1.5"), 1),
        (number("3"), text("odd"), 1),
        (number("3"), None, 1),
        (number("3"), number("0"), 1),
    ] {
        let mut item = key_of(PRODUCTS, &Limits::the_key());
        item.extend(most.clone().map(|most| ("most".to_owned(), most)));
        item.extend(version.clone().map(|version| ("version".to_owned(), version)));
        let put = aws.dynamodb().put_item().table_name("PRODUCTS_TABLE");
        put.set_item(Some(item)).send().await.unwrap();

        let present = table.load_to_replace().await.unwrap();
        assert_eq!(present.next_version(), next, "{most:?} {version:?}");
        let repaired = Limits { most: 4, version: next };
        let replace = || vec![present.replaced_by(&repaired)];
        commit(&aws, &format!("{next} {most:?}"), replace()).await.unwrap();
        assert_eq!(table.load_the_one(true).await.unwrap(), repaired, "{most:?} {version:?}");
        if version.is_some() {
            let again = commit(&aws, &format!("again {next} {most:?}"), replace()).await;
            assert!(again.is_err(), "the second replacement must fail: {most:?} {version:?}");
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Limits {
    most: u32,
    version: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { most: 5, version: 0 }
    }
}

impl Record for Limits {
    const TABLE: TableName = PRODUCTS;

    fn key(&self) -> Key {
        Self::the_key()
    }
}

impl Singleton for Limits {
    fn the_key() -> Key {
        Key::new("limits")
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn checked(self) -> Result<Self, FieldErrors> {
        let zero = || FieldErrors::one("/most", "must not be 0");
        if self.most == 0 { Err(zero()) } else { Ok(self) }
    }
}

#[tokio::test]
async fn a_secret_is_returned_in_its_parsed_form() {
    let aws = Stores::start().await.aws;
    let secret = aws.secret("greeting", |text| Ok(text.len()));
    assert_eq!(*secret.read().await.unwrap(), 5);
}

#[test]
#[should_panic(expected = "RESOURCES lacks the table products")]
fn an_undeclared_table_panics_at_the_first_start() {
    super::stores::connect(&[], super::stores::environment()).table::<Product>();
}
