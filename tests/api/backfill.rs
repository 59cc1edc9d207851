//! `ops backfill` while the system works: killed, run again, and nothing of anybody's is lost.
//!
//! `BACKFILL_ITEMS` says how many items the table has.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use client::Client;
use domain::catalogue::{Product, ProductId, ProductView};
use futures::future::{join, join_all};
use lifecycle::paging::PageQuery;
use lifecycle::record::{Record, item_of};
use serde_dynamo::AttributeValue;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::sleep;
use uuid::Uuid;

use crate::harness::{
    Api, asked_for, fresh_platform, in_background, operate, read, scan, unlimited, until_done,
};

/// How many products the table has, but for those of the demo.
const ITEMS: usize = 2_000;
/// How many of them clients change meanwhile.
const CHANGED: usize = 40;
/// How many tasks change them.
const WRITERS: usize = 4;
/// How long a task pauses between two changes: the machine is for the backfill too.
const BETWEEN_CHANGES: Duration = Duration::from_millis(20);
/// How many items no version can read.
const UNREADABLE: usize = 3;

#[tokio::test]
async fn a_backfill_that_is_killed_goes_on_and_no_change_of_others_is_lost() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    let items = asked_for("BACKFILL_ITEMS", ITEMS);
    let owner = Uuid::new_v4();
    let ids = store_as_other_versions_did(&api, owner, items);
    let merchant = api.inside().unwrap().token(&owner.to_string(), &["MERCHANT"]);
    let merchant = api.client().with_token(&merchant);
    // Spread over the whole table, and over the ways in which items are out of date.
    let changed: Vec<_> = ids.iter().copied().step_by(items / CHANGED + 1).collect();
    let ends = AtomicBool::new(false);
    let writers = changed.chunks(changed.len().div_ceil(WRITERS));
    let writers = join_all(writers.map(|ids| change(&merchant, ids, &ends)));
    let backfill = async {
        let runs = kill_and_run_again(&api, items).await;
        ends.store(true, Relaxed);
        runs
    };
    let (last_seen, (killed, ended)) = join(writers, backfill).await;
    let last_seen: BTreeMap<_, _> = last_seen.into_iter().flatten().collect();

    assert_eq!(count_out_of_date(&api).await, 0);
    assert_holds(&api, &last_seen).await;
    if items <= ITEMS {
        let products = scan(&api, "ProductsTable").await.len() - claims(&api).await;
        assert_eq!(listed(&merchant).await, products - UNREADABLE);
    }

    let error = operate(&api, &["backfill", "products", "--dry-run"]).await.unwrap_err();
    assert_eq!(error, "3 items of products are left as they are");
    if items > ITEMS {
        // Past the capture of tests' output, for whoever has asked for so many.
        let said = [killed.said, vec!["killed".to_owned()], ended.said].concat();
        let changes: u64 = last_seen.values().map(|product| product.version - 1).sum();
        let _ = writeln!(io::stderr(), "{}\n{changes} changes by clients", said.join("\n"));
    }
}

/// A run that is killed in its middle, and the one that goes on from there.
async fn kill_and_run_again(api: &Api, items: usize) -> (Ran, Ran) {
    let rate = (items / 2).clamp(500, 20_000).to_string();
    let arguments = ["backfill", "products", "--rate", &rate];
    // Progress is told page by page, which are few for few items.
    let middle = (items * 2 / 5).saturating_sub(700);
    let in_the_middle = move |line: &str| written(line).is_some_and(|count| count > middle);
    let killed = operator(api, &arguments, in_the_middle).await;
    assert!(killed.status.code().is_none(), "by a signal: {killed:?}");
    let last = killed.said.last().unwrap();
    assert!(last.contains(" to go"), "progress includes the time left: {last}");
    assert!(count_out_of_date(api).await > 0, "it was killed in the middle: {last}");

    let ended = operator(api, &arguments, |_| false).await;
    assert!(ended.said[0].starts_with("goes on with the run of "), "{:?}", ended.said);
    let done = format!("done: {} items read", scan(api, "ProductsTable").await.len());
    assert!(ended.said.iter().any(|line| line.starts_with(&done)), "{:?}", ended.said);
    assert!(!ended.status.success(), "some items are left");
    assert_eq!(ended.said.last().unwrap(), "3 items of products are left as they are");
    (killed, ended)
}

#[tokio::test]
async fn a_dry_run_counts_and_writes_nothing_and_another_kind_is_left_alone() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    store_as_other_versions_did(&api, Uuid::new_v4(), 8);
    let before = scan(&api, "ProductsTable").await;
    let error = operate(&api, &["backfill", "products", "--dry-run"]).await.unwrap_err();
    assert_eq!(error, "3 items of products are left as they are");
    let said = operate(&api, &["backfill", "name-claims"]).await.unwrap();
    assert!(said.last().unwrap().contains(" 0 written, "), "{said:?}");
    assert_eq!(scan(&api, "ProductsTable").await.len(), before.len());
    assert_eq!(count_out_of_date(&api).await, 6);
    let error = operate(&api, &["backfill", "product"]).await.unwrap_err();
    assert!(error.contains("the kinds are users, email-claims"), "{error}");
}

/// Stores products of a merchant as an earlier version may have: a quarter of them is up to date, one
/// is in no index, one in a partition that there is no more, and one only half in its index.
fn store_as_other_versions_did(api: &Api, owner: Uuid, count: usize) -> Vec<ProductId> {
    let stores = api.inside().unwrap().platform().stores();
    let mut ids = Vec::new();
    for number in 0..count + UNREADABLE {
        let id = Uuid::new_v4();
        let at = format!("2026-01-31T12:{:02}:{:02}.000Z", number / 60 % 60, number % 60);
        let product: Product = read(json!({
            "productId": id, "ownerId": owner, "name": format!("Lamp {number}"), "available": true,
            "description": "It shines.", "price": { "amount": 200, "currency": "EUR" },
            "discount": 10, "stock": 5, "version": 1, "createdAt": at, "updatedAt": at,
        }));
        let mut item = item_of(&product);
        let attributes = item.inner_mut();
        match number % 4 {
            0 => {
                attributes.remove("by_creation_pk");
                attributes.remove("by_creation_sk");
            }
            1 => {
                let partition = AttributeValue::S("17".to_owned());
                attributes.insert("by_creation_pk".to_owned(), partition);
            }
            2 => {
                attributes.remove("by_creation_sk");
            }
            _ => {}
        }
        if number < count {
            ids.push(product.product_id);
        } else {
            attributes.insert("stock".to_owned(), AttributeValue::S("many".to_owned()));
        }
        stores.put_item("ProductsTable", &json!(item)).unwrap();
    }
    ids
}

/// Changes products and reads them until the end; gives what each was last.
async fn change(
    merchant: &Client,
    ids: &[ProductId],
    ends: &AtomicBool,
) -> BTreeMap<ProductId, ProductView> {
    let mut last = BTreeMap::new();
    let mut stock = 0;
    while !ends.load(Relaxed) {
        for id in ids {
            stock += 1;
            let patch = read(json!({ "stock": stock }));
            let changed =
                until_done(async || merchant.patch_product(*id, &patch, None).await).await;
            let changed = changed.unwrap().data;
            assert_eq!(changed.stock.get(), stock);
            if let Some(before) = last.insert(*id, changed.clone()) {
                let before: ProductView = before;
                assert_eq!(changed.version, before.version + 1, "nobody else changes it");
            }
            merchant.get_product(*id).await.unwrap();
            sleep(BETWEEN_CHANGES).await;
        }
        merchant.list_products(None, &read(json!({ "limit": 5 }))).await.unwrap();
    }
    last
}

/// What a process of the operator's has said, and how it ended.
#[derive(Debug)]
struct Ran {
    said: Vec<String>,
    status: ExitStatus,
}

/// Runs a command as a process, and kills it behind the line that says so.
async fn operator(
    api: &Api,
    arguments: &[&str],
    is_killed_by: impl Fn(&str) -> bool + Send + 'static,
) -> Ran {
    let environment = api.inside().unwrap().platform().stores().operator_environment();
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    command.args(arguments).envs(environment).stdout(Stdio::piped()).kill_on_drop(true);
    in_background(async move {
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            let kills = is_killed_by(&line);
            said.push(line);
            if kills {
                // SIGKILL, which no process hears of.
                process.start_kill().unwrap();
                break;
            }
        }
        Ran { said, status: process.wait().await.unwrap() }
    })
    .await
}

/// How many items a line of progress says were written.
fn written(line: &str) -> Option<usize> {
    let before = line.split_once(" written, ")?.0;
    before.rsplit(' ').next()?.parse().ok()
}

/// The readable products that are not as this version writes them.
async fn count_out_of_date(api: &Api) -> usize {
    let items = scan(api, "ProductsTable").await.into_iter();
    let out_of_date = items.filter(|item| {
        let stored: serde_dynamo::Item = serde_dynamo::to_item(item).unwrap();
        let product = Product::of_item(stored.clone());
        product.is_ok_and(|product| {
            item_of(&product).iter().any(|(name, value)| stored.get(name) != Some(value))
        })
    });
    out_of_date.count()
}

/// Every product that clients changed is as they saw it last, and every other one as it was stored.
async fn assert_holds(api: &Api, last_seen: &BTreeMap<ProductId, ProductView>) {
    let mut changed = 0;
    for item in scan(api, "ProductsTable").await {
        let item: serde_dynamo::Item = serde_dynamo::to_item(item).unwrap();
        let Ok(product) = Product::of_item(item) else { continue };
        match last_seen.get(&product.product_id) {
            Some(seen) => {
                assert_eq!(&ProductView::from(product), seen);
                changed += 1;
            }
            None => assert_eq!(product.version, 1, "{product:?}"),
        }
    }
    assert_eq!(changed, last_seen.len());
}

/// How many products are listed, which are found by their index.
async fn listed(anybody: &Client) -> usize {
    let mut asked: PageQuery = read(json!({ "limit": 100 }));
    let mut count = 0;
    loop {
        let page = anybody.list_products(None, &asked).await.unwrap().data;
        count += page.items.len();
        let Some(next) = page.next(&asked) else { return count };
        asked = next;
    }
}

/// How many items of the table are claims to names.
async fn claims(api: &Api) -> usize {
    let is_claim = |item: &&Value| item["pk"].as_str().unwrap().starts_with("name#");
    scan(api, "ProductsTable").await.iter().filter(is_claim).count()
}
