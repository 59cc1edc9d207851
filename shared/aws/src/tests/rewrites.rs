//! Items that an operator changes in place during concurrent changes.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use lifecycle::effects::{Condition, Write, number};
use lifecycle::ports::Store;
use lifecycle::record::{Key, PARTITION_KEY};
use lifecycle::resource::{Action, Resource};
use serde_dynamo::{AttributeValue, Item};

use super::commits::{Product, commit, product};
use super::stores::{PRODUCTS, Stores, connect, environment, slow_stub};
use crate::Aws;
use crate::admin::{Attempt, Changed, Operator, Segment};

#[tokio::test]
async fn an_item_is_changed_in_place_and_keeps_unknown_attributes() {
    let (aws, operator) = start().await;
    let read = stored(&aws).await;
    let mut changed = read.clone();
    changed.inner_mut().insert("colour".to_owned(), AttributeValue::S("red".to_owned()));
    changed.inner_mut().remove("stock");
    let attempt = self::attempt(&operator, &read, &changed).await;
    assert_eq!(attempt.result, Changed::Done, "no other writer has changed it");
    assert!(attempt.units >= 1.0, "{}", attempt.units);
    assert_eq!(stored(&aws).await, changed);
    let unneeded = self::attempt(&operator, &changed, &changed).await;
    assert_eq!(unneeded, Attempt { result: Changed::Done, units: 0.0 });
}

#[tokio::test]
async fn a_page_that_takes_longer_than_a_function_waits_is_read_in_one_attempt() {
    let (url, counts) = slow_stub(Duration::from_secs(2), 200, r#"{"Items":[],"Count":0}"#).await;
    let mut environment = environment();
    environment.extend([("AWS_ENDPOINT_URL", url), ("PRODUCTS_TABLE", "p".to_owned())]);
    let aws = connect(&[Resource::Table(PRODUCTS, &[Action::Query])], environment);
    let segment = Segment { number: 0, of: 1 };
    let page = Operator::new(aws).scan_items(PRODUCTS, segment, None).await.unwrap();
    assert!(page.items.is_empty());
    assert_eq!(counts.requests.load(SeqCst), 1);
}

#[tokio::test]
async fn a_concurrent_change_is_not_overwritten_but_returned() {
    let update = || Write::update::<Product>(Key::new("a"));
    for others in [
        update().add("stock", -1),
        update().set("version", number(2u64)),
        Write::put(&product("a", 9)),
        // Only adds an attribute that the item lacked.
        update().set("relayedAt", number(1u64)),
        update().set("colour", number(1u64)),
    ] {
        let (aws, operator) = start().await;
        let read = stored(&aws).await;
        let mut changed = read.clone();
        changed.inner_mut().insert("colour".to_owned(), AttributeValue::S("red".to_owned()));
        // As a transaction, which leaves no stamp.
        let beside = Write::create(&product("another", 1));
        commit(&aws, "2", vec![others.clone(), beside]).await.unwrap();
        let now = stored(&aws).await;
        assert_ne!(now, read);
        assert_eq!(change(&operator, &read, &changed).await, Changed::Moved(now.clone()));
        assert_eq!(stored(&aws).await, now, "{others:?}");
    }
}

#[tokio::test]
async fn a_deleted_item_is_not_created_again() {
    let (aws, operator) = start().await;
    let read = stored(&aws).await;
    let mut changed = read.clone();
    changed.inner_mut().insert("colour".to_owned(), AttributeValue::S("red".to_owned()));
    commit(&aws, "2", vec![Write::delete::<Product>(Key::new("a"))]).await.unwrap();
    assert_eq!(change(&operator, &read, &changed).await, Changed::Gone);
    assert_eq!(aws.read(PRODUCTS, &Key::new("a")).await.unwrap(), None);
}

#[tokio::test]
async fn an_item_over_400_kib_is_refused_and_stays_as_it_is() {
    let (aws, operator) = start().await;
    let read = stored(&aws).await;
    let mut changed = read.clone();
    let long = AttributeValue::S("a".repeat(410_000));
    changed.inner_mut().insert("colour".to_owned(), long);
    let refused = change(&operator, &read, &changed).await;
    let Changed::Refused(reason) = refused else { panic!("not {refused:?}") };
    assert!(reason.contains("maximum allowed size"), "{reason}");
    assert_eq!(stored(&aws).await, read);
}

#[tokio::test]
async fn a_scan_by_segments_and_pages_reads_every_item_once() {
    let (aws, operator) = start().await;
    for number in 0..250 {
        let product = product(&number.to_string(), 1);
        commit(&aws, &number.to_string(), vec![Write::put(&product)]).await.unwrap();
    }
    let mut keys = Vec::new();
    for number in 0..3 {
        let (segment, mut next) = (Segment { number, of: 3 }, None);
        loop {
            let page = operator.scan_items(PRODUCTS, segment, next.as_ref()).await.unwrap();
            assert!(page.units > 0.0);
            keys.extend(page.items.into_iter().map(|(key, _)| key.pk));
            next = page.next;
            if next.is_none() {
                break;
            }
        }
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 251);
    assert_eq!(operator.items_count(PRODUCTS).await, Some(251));
}

async fn start() -> (Aws, Operator) {
    let aws = Stores::start().await.aws;
    let create = Write::create(&product("a", 5)).when(Condition::Absent);
    commit(&aws, "1", vec![create, Write::create(&product("other", 5))]).await.unwrap();
    commit(&aws, "3", vec![Write::delete::<Product>(Key::new("other"))]).await.unwrap();
    (aws.clone(), Operator::new(aws))
}

async fn stored(aws: &Aws) -> Item {
    aws.read(PRODUCTS, &Key::new("a")).await.unwrap().unwrap()
}

async fn change(operator: &Operator, read: &Item, changed: &Item) -> Changed {
    attempt(operator, read, changed).await.result
}

async fn attempt(operator: &Operator, read: &Item, changed: &Item) -> Attempt {
    assert!(read.contains_key(PARTITION_KEY));
    operator.change_item(PRODUCTS, &Key::new("a"), read, changed, &["relayedAt"]).await.unwrap()
}
