//! Commits: all or nothing, and once.

use lifecycle::effects::{Condition, Write, number, text};
use lifecycle::ports::{CommitError, Count, Counter, Store, Transaction};
use lifecycle::record::{Key, Record, TableName};
use lifecycle::testing::permit;
use lifecycle::{Anyone, Moment, Timestamp};
use serde::{Deserialize, Serialize};

use super::stores::{OUTBOX, PRODUCTS, Stores};
use crate::Aws;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Product {
    pub(super) id: String,
    pub(super) stock: i64,
    pub(super) version: u64,
}

impl Record for Product {
    const TABLE: TableName = PRODUCTS;

    fn key(&self) -> Key {
        Key::new(&self.id)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) order: String,
    pub(super) number: u32,
}

impl Record for Event {
    const TABLE: TableName = OUTBOX;

    fn key(&self) -> Key {
        Key::sorted(&self.order, self.number)
    }
}

pub(super) fn product(id: &str, stock: i64) -> Product {
    Product { id: id.to_owned(), stock, version: 1 }
}

pub(super) async fn commit(aws: &Aws, token: &str, writes: Vec<Write>) -> Result<(), CommitError> {
    aws.commit(&Transaction { token: token.to_owned(), writes }).await
}

async fn stored(aws: &Aws, id: &str) -> Option<Product> {
    let item = aws.read(PRODUCTS, &Key::new(id)).await.unwrap()?;
    Some(serde_dynamo::from_item(item).unwrap())
}

/// The indices of the writes whose conditions failed, and the stocks that were stored then.
fn failed(result: Result<(), CommitError>) -> Vec<(usize, Option<i64>)> {
    let Err(CommitError::Conditions(failed)) = result else {
        panic!("expected failed conditions, got {result:?}")
    };
    let stock = |item| serde_dynamo::from_item::<_, Product>(item).unwrap().stock;
    failed.into_iter().map(|it| (it.write, it.stored.map(stock))).collect()
}

#[tokio::test]
async fn a_record_is_created_once() {
    let aws = Stores::start().await.aws;
    commit(&aws, "1", vec![Write::create(&product("a", 5))]).await.unwrap();
    assert_eq!(stored(&aws, "a").await, Some(product("a", 5)));
    let again = commit(&aws, "2", vec![Write::create(&product("a", 9))]).await;
    assert_eq!(failed(again), [(0, Some(5))]);
}

#[tokio::test]
async fn a_single_write_that_meets_its_own_first_attempt_succeeds() {
    let aws = Stores::start().await.aws;
    let create = || vec![Write::create(&product("a", 5))];
    commit(&aws, "1", create()).await.unwrap();
    commit(&aws, "1", create()).await.unwrap();

    let sell = || {
        let update = Write::update::<Product>(Key::new("a")).set("version", number(2u64));
        vec![update.when(Condition::Equals("version", number(1u64)))]
    };
    commit(&aws, "2", sell()).await.unwrap();
    commit(&aws, "2", sell()).await.unwrap();
    assert_eq!(failed(commit(&aws, "3", sell()).await), [(0, Some(5))]);
}

#[tokio::test]
async fn an_add_is_applied_once_for_each_token() {
    let aws = Stores::start().await.aws;
    commit(&aws, "1", vec![Write::create(&product("a", 5))]).await.unwrap();
    let sell = || vec![Write::update::<Product>(Key::new("a")).add("stock", -2)];
    commit(&aws, "2", sell()).await.unwrap();
    commit(&aws, "2", sell()).await.unwrap();
    assert_eq!(stored(&aws, "a").await.unwrap().stock, 3);
    commit(&aws, "3", sell()).await.unwrap();
    assert_eq!(stored(&aws, "a").await.unwrap().stock, 1);
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing_and_names_the_failed_condition() {
    let aws = Stores::start().await.aws;
    let create = ["a", "b"].map(|id| Write::create(&product(id, 5)));
    commit(&aws, "1", create.into()).await.unwrap();
    let take = |id: &str, pieces: i64| {
        let update = Write::update::<Product>(Key::new(id)).add("stock", -pieces);
        update.when(Condition::AtLeast("stock", pieces))
    };
    let event = || Write::create(&Event { order: "o".into(), number: 1 });
    let too_many = commit(&aws, "2", vec![take("a", 2), take("b", 6), event()]).await;
    assert_eq!(failed(too_many), [(1, Some(5))]);
    assert_eq!(stored(&aws, "a").await.unwrap().stock, 5);
    commit(&aws, "3", vec![take("a", 2), take("b", 5), event()]).await.unwrap();
    assert_eq!(stored(&aws, "b").await.unwrap().stock, 0);
    let key = Key::sorted("o", 1);
    assert!(aws.read(OUTBOX, &key).await.unwrap().is_some());
}

#[tokio::test]
async fn a_transaction_accepts_every_kind_of_write() {
    let aws = Stores::start().await.aws;
    let create = ["a", "b", "c"].map(|id| Write::create(&product(id, 5)));
    commit(&aws, "1", create.into()).await.unwrap();
    let writes = vec![
        Write::replace(&Product { version: 2, ..product("a", 7) }, 1),
        Write::delete::<Product>(Key::new("b")).when(Condition::Present),
        Write::check::<Product>(Key::new("c"), Condition::Below("stock", 6)),
        Write::update::<Product>(Key::new("d")).set("id", text("d")).add("stock", 1),
    ];
    commit(&aws, "2", writes).await.unwrap();
    assert_eq!(stored(&aws, "a").await.unwrap().stock, 7);
    assert_eq!(stored(&aws, "b").await, None);
}

#[tokio::test]
async fn a_single_delete_or_check_is_repeatable() {
    let aws = Stores::start().await.aws;
    commit(&aws, "1", vec![Write::create(&product("a", 5))]).await.unwrap();
    let check = || vec![Write::check::<Product>(Key::new("a"), Condition::Present)];
    commit(&aws, "2", check()).await.unwrap();
    let delete = || vec![Write::delete::<Product>(Key::new("a")).when(Condition::Present)];
    commit(&aws, "3", delete()).await.unwrap();
    commit(&aws, "3", delete()).await.unwrap();
    assert_eq!(failed(commit(&aws, "4", delete()).await), [(0, None)]);
    assert_eq!(failed(commit(&aws, "5", check()).await), [(0, None)]);
}

#[tokio::test]
async fn an_impossible_transaction_is_invalid_without_a_call() {
    let aws = Stores::start().await.aws;
    let twice = vec![Write::put(&product("a", 1)), Write::put(&product("a", 2))];
    assert!(matches!(commit(&aws, "1", twice).await, Err(CommitError::Invalid(_))));
    let nothing = vec![Write::put(&product("a", 1)), Write::update::<Product>(Key::new("b"))];
    assert!(matches!(commit(&aws, "1", nothing).await, Err(CommitError::Invalid(_))));
    assert_eq!(stored(&aws, "a").await, None);
}

#[tokio::test]
async fn a_condition_on_a_key_that_no_item_can_have_is_judged_as_on_a_missing_item() {
    let aws = Stores::start().await.aws;
    commit(&aws, "1", vec![Write::create(&product("a", 5))]).await.unwrap();
    let take = |id: &str, pieces: i64| {
        let update = Write::update::<Product>(Key::new(id)).add("stock", -pieces);
        update.when(Condition::AtLeast("stock", pieces))
    };
    for (number, id) in [String::new(), "x".repeat(2049)].iter().enumerate() {
        let delete = || Write::delete::<Product>(Key::new(id));
        let absent = Write::check::<Product>(Key::new(id), Condition::Absent);
        let token = |call: &str| format!("{call} {number}");
        for (call, writes, expected) in [
            ("update", vec![take(id, 1)], (0, None)),
            ("delete", vec![delete().when(Condition::Present)], (0, None)),
            ("both", vec![take("a", 1), take(id, 1)], (1, None)),
            // The condition of the only write that is left keeps its place.
            ("left", vec![delete(), take("a", 6)], (1, Some(5))),
        ] {
            assert_eq!(failed(commit(&aws, &token(call), writes).await), [expected], "{call}");
        }
        commit(&aws, &token("nothing"), vec![delete()]).await.unwrap();
        commit(&aws, &token("the rest"), vec![absent, take("a", 0)]).await.unwrap();
        let update = Write::update::<Product>(Key::new(id)).add("stock", 1);
        for write in [Write::create(&product(id, 1)), Write::put(&product(id, 1)), update] {
            let refused = commit(&aws, &token("invalid"), vec![write, take("a", 1)]).await;
            let Err(CommitError::Invalid(reason)) = refused else { panic!("{refused:?}") };
            assert!(reason.starts_with("write 0 on products: no item can have"), "{reason}");
        }
    }
    assert_eq!(stored(&aws, "a").await.unwrap().stock, 5);
}

#[tokio::test]
async fn a_counter_stops_at_its_maximum() {
    let aws = Stores::start().await.aws;
    let counter = |amount, maximum| Counter {
        key: "ada".to_owned(),
        amount,
        maximum,
        expires_at: Timestamp::from_millis(60_000),
    };
    for (amount, maximum, count) in [
        (4, Some(3), Count::Exceeded),
        (2, Some(3), Count::Total(2)),
        (2, Some(3), Count::Exceeded),
        (1, Some(3), Count::Total(3)),
        (1, Some(3), Count::Exceeded),
        (-1, None, Count::Total(2)),
        (1, Some(3), Count::Total(3)),
        (5, None, Count::Total(8)),
    ] {
        assert_eq!(aws.count(&counter(amount, maximum)).await.unwrap(), count, "{amount}");
    }
}

#[tokio::test]
async fn a_late_begin_does_not_replace_the_audit_record_of_the_end() {
    let aws = Stores::start().await.aws;
    let records = aws.audit_log::<Product>();
    let permit = permit(Anyone, Moment::new(Timestamp::from_millis(0), [0; 32]));
    let [begun, ended] = [1, 2].map(|stock| product("a", stock));
    records.begin(&permit, &begun).await;
    assert_eq!(stored(&aws, "a").await.as_ref(), Some(&begun));
    records.append(&permit, &ended).await;
    records.begin(&permit, &begun).await;
    assert_eq!(stored(&aws, "a").await, Some(ended));
}
