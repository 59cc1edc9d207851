//! `ops backfill` while the system works: it is killed and run again, and no client's change is lost.
//!
//! `BACKFILL_ITEMS` sets the number of items of the table.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use client::Client;
use domain::catalogue::{Product, ProductId, ProductView};
use futures::future::{join, join_all};
use lifecycle::effects::size_bytes_of;
use lifecycle::paging::PageQuery;
use lifecycle::record::{Record, item_of};
use serde_dynamo::AttributeValue;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::sleep;
use uuid::Uuid;

use crate::harness::{
    Api, eventually, fresh_platform, in_background, operate, read, setting, unlimited, until_done,
};

/// The number of products of the table, without the demo's.
const ITEMS: usize = 2_000;
/// The number of products that clients change meanwhile.
const CHANGED: usize = 40;
/// The number of tasks that change them.
const WRITERS: usize = 4;
/// The pause of a task between two changes: it leaves the backfill some CPU.
const BETWEEN_CHANGES: Duration = Duration::from_millis(20);
/// The number of items that no version can read.
const UNREADABLE: usize = 3;
/// The key of the progress of a run over products.
const PROGRESS: &str = "backfill#products";

#[tokio::test]
async fn a_killed_backfill_continues_and_no_change_of_clients_is_lost() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    let items = setting("BACKFILL_ITEMS", ITEMS);
    let owner = Uuid::new_v4();
    let ids = store_as_other_versions_did(&api, owner, items);
    let merchant = api.inside().unwrap().token(&owner.to_string(), &["MERCHANT"]);
    let merchant = api.client().with_token(&merchant);
    // Spread over the whole table, and over all forms of outdated items.
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
        let products = api.scan("ProductsTable").await.len() - claims(&api).await;
        assert_eq!(listed(&merchant).await, products - UNREADABLE);
    }

    let error = operate(&api, &["backfill", "products", "--dry-run"]).await.unwrap_err();
    assert_eq!(error, "3 items of products are left as they are");
    if items > ITEMS {
        // Bypasses the capture of tests' output: a run with many items is a measurement.
        let said = [killed.said, vec!["killed".to_owned()], ended.said].concat();
        let changes: u64 = last_seen.values().map(|product| product.version - 1).sum();
        let _ = writeln!(io::stderr(), "{}\n{changes} changes by clients", said.join("\n"));
    }
}

/// A run that is killed in its middle, and the one that continues from there.
async fn kill_and_run_again(api: &Api, items: usize) -> (Ran, Ran) {
    let rate = (items / 2).clamp(500, 20_000).to_string();
    let arguments = ["backfill", "products", "--rate", &rate];
    // Progress is printed page by page, and few items have few pages.
    let middle = (items * 2 / 5).saturating_sub(700);
    let in_the_middle = move |line: &str| written(line).is_some_and(|count| count > middle);
    let killed = operator(api, &arguments, in_the_middle).await;
    assert!(killed.status.code().is_none(), "not ended by a signal: {killed:?}");
    let last = killed.said.last().unwrap();
    assert!(last.contains(" to go"), "progress includes the time left: {last}");
    assert!(count_out_of_date(api).await > 0, "it was killed in the middle: {last}");

    let ended = operator(api, &arguments, |_| false).await;
    assert!(ended.said[0].starts_with("goes on with the run of "), "{:?}", ended.said);
    let done = format!("done: {} items read", api.scan("ProductsTable").await.len());
    assert!(ended.said.iter().any(|line| line.starts_with(&done)), "{:?}", ended.said);
    assert!(!ended.status.success(), "the unreadable items are no failure");
    assert_eq!(ended.said.last().unwrap(), "3 items of products are left as they are");
    (killed, ended)
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_another_kind_is_left_alone() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    store_as_other_versions_did(&api, Uuid::new_v4(), 8);
    let before = api.scan("ProductsTable").await;
    let error = operate(&api, &["backfill", "products", "--dry-run"]).await.unwrap_err();
    assert_eq!(error, "3 items of products are left as they are");
    let said = operate(&api, &["backfill", "name-claims"]).await.unwrap();
    assert!(said.last().unwrap().contains(" 0 written, "), "{said:?}");
    assert_eq!(api.scan("ProductsTable").await.len(), before.len());
    assert_eq!(count_out_of_date(&api).await, 6);
    let error = operate(&api, &["backfill", "product"]).await.unwrap_err();
    assert!(error.contains("the kinds are users, email-claims"), "{error}");
}

#[tokio::test]
async fn a_restart_ignores_an_unreadable_progress_and_without_it_the_command_fails() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    store_as_other_versions_did(&api, Uuid::new_v4(), 8);
    put_progress(&api, &json!({ "pk": PROGRESS, "kind": 7 }));
    let error = operate(&api, &["backfill", "products"]).await.unwrap_err();
    assert!(error.contains("--restart"), "{error}");
    assert_eq!(count_out_of_date(&api).await, 6);
    let error = operate(&api, &["backfill", "products", "--restart"]).await.unwrap_err();
    assert_eq!(error, "3 items of products are left as they are");
    assert_eq!(count_out_of_date(&api).await, 0);
    assert_eq!(progress(&api).await, None);
}

#[tokio::test]
async fn a_run_ends_when_another_has_begun_and_keeps_the_progress_of_that_one() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    store_as_other_versions_did(&api, Uuid::new_v4(), ITEMS);
    let other = async {
        let mut other = eventually("the run's progress", async || progress(&api).await).await;
        other["process"] = "another".into();
        put_progress(&api, &other);
        other
    };
    let arguments = ["backfill", "products", "--rate", "500"];
    let (ran, other) = join(operator(&api, &arguments, |_| false), other).await;
    assert!(!ran.status.success(), "{ran:?}");
    let last = ran.said.last().unwrap();
    assert_eq!(last, "another run over products has begun, or has ended this one");
    let process = progress(&api).await.unwrap()["process"].clone();
    assert_eq!(process, other["process"]);
}

#[tokio::test]
async fn a_run_ends_when_another_process_continues_it() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    store_as_other_versions_did(&api, Uuid::new_v4(), ITEMS);
    let arguments = ["backfill", "products", "--rate", "500"];
    let second = async {
        eventually("the run's progress", async || progress(&api).await).await;
        operator(&api, &arguments, |_| false).await
    };
    let (first, second) = join(operator(&api, &arguments, |_| false), second).await;
    assert!(!first.status.success(), "{first:?}");
    let last = first.said.last().unwrap();
    assert_eq!(last, "another run over products has begun, or has ended this one");
    assert!(second.said[0].starts_with("goes on with the run of "), "{second:?}");
    assert_eq!(second.said.last().unwrap(), "3 items of products are left as they are");
    assert_eq!(count_out_of_date(&api).await, 0);
    assert_eq!(progress(&api).await, None);
}

#[tokio::test]
async fn an_item_that_the_table_rejects_is_left_and_all_others_are_written() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    store_as_other_versions_did(&api, Uuid::new_v4(), 8);
    let mut item = item_of(&product(Uuid::new_v4(), Uuid::new_v4(), 0));
    let attributes = item.inner_mut();
    attributes.remove("by_creation_pk");
    attributes.remove("by_creation_sk");
    let key = attributes["pk"].clone();
    attributes.insert("padding".to_owned(), AttributeValue::S(String::new()));
    // The attributes of the index have 90 bytes, so the item is too large with them.
    let padding = "a".repeat(400 * 1024 - 45 - size_bytes_of(&item));
    item.inner_mut().insert("padding".to_owned(), AttributeValue::S(padding));
    let stores = api.inside().unwrap().platform().stores();
    stores.put_item("ProductsTable", &json!(item)).unwrap();

    let ran = operator(&api, &["backfill", "products"], |_| false).await;

    assert_eq!(ran.said.last().unwrap(), "4 items of products are left as they are");
    let AttributeValue::S(key) = key else { panic!("{key:?}") };
    let reason = format!("products {key} is left as it is: the table rejects its rewritten form");
    assert!(ran.said.iter().any(|line| line.starts_with(&reason)), "{:?}", ran.said);
    assert_eq!(count_out_of_date(&api).await, 1, "only the item that is too large");
}

#[tokio::test]
async fn a_run_uses_exactly_the_documented_permissions() {
    let Some(api) = fresh_platform(unlimited()).await else { return };
    store_as_other_versions_did(&api, Uuid::new_v4(), 8);
    let before = calls_of_operators(&api);
    operate(&api, &["backfill", "products"]).await.unwrap_err();
    let mut used = calls_of_operators(&api);
    used.retain(|call, count| before.get(call).is_none_or(|before| *before < *count));

    let document = include_str!("../../../infra/docs/DATA.md");
    let (_, permissions) = document.split_once("It needs `dynamodb:").unwrap();
    let (table, settings) = permissions.split_once("` on the table, and `").unwrap();
    let (settings, _) = settings.split_once("` on that of settings.").unwrap();
    let documented = [("ProductsTable", table), ("SettingsTable", settings)];
    let documented = documented.into_iter().flat_map(|(table, actions)| {
        let actions = actions.split("`, `").flat_map(|actions| actions.split("` and `"));
        actions.map(move |action| (table.to_owned(), action.to_owned()))
    });
    let documented: BTreeSet<_> = documented.collect();
    assert_eq!(used.into_keys().collect::<BTreeSet<_>>(), documented);
}

/// Stores products of a merchant as an earlier version may have. One quarter is up to date, one is in
/// no index, one in a former partition, and one has only half of its index attributes.
fn store_as_other_versions_did(api: &Api, owner: Uuid, count: usize) -> Vec<ProductId> {
    let stores = api.inside().unwrap().platform().stores();
    let mut ids = Vec::new();
    for number in 0..count + UNREADABLE {
        let product = product(Uuid::new_v4(), owner, number);
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

fn product(id: Uuid, owner: Uuid, number: usize) -> Product {
    let at = format!("2026-01-31T12:{:02}:{:02}.000Z", number / 60 % 60, number % 60);
    read(json!({
        "productId": id, "ownerId": owner, "name": format!("Lamp {number}"), "available": true,
        "description": "It shines.", "price": { "amount": 200, "currency": "EUR" },
        "discount": 10, "stock": 5, "version": 1, "createdAt": at, "updatedAt": at,
    }))
}

/// Changes products and reads them until the end. Returns the last version of each.
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
                assert_eq!(changed.version, before.version + 1, "another writer changed it");
            }
            merchant.get_product(*id).await.unwrap();
            sleep(BETWEEN_CHANGES).await;
        }
        merchant.list_products(None, &read(json!({ "limit": 5 }))).await.unwrap();
    }
    last
}

/// The output and exit status of an operator's process.
#[derive(Debug)]
struct Ran {
    said: Vec<String>,
    status: ExitStatus,
}

/// Runs a command as a process, and kills it after a line for which `is_killed_by` is true.
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
                // SIGKILL: the process cannot react to it.
                process.start_kill().unwrap();
                break;
            }
        }
        Ran { said, status: process.wait().await.unwrap() }
    })
    .await
}

/// The number of written items in a line of progress.
fn written(line: &str) -> Option<usize> {
    let before = line.split_once(" written, ")?.0;
    before.rsplit(' ').next()?.parse().ok()
}

/// The number of readable products that differ from this version's form.
async fn count_out_of_date(api: &Api) -> usize {
    let items = api.scan("ProductsTable").await.into_iter();
    let out_of_date = items.filter(|item| {
        let stored: serde_dynamo::Item = serde_dynamo::to_item(item).unwrap();
        let product = Product::of_item(stored.clone());
        product.is_ok_and(|product| {
            item_of(&product).iter().any(|(name, value)| stored.get(name) != Some(value))
        })
    });
    out_of_date.count()
}

/// Asserts that every changed product is as clients saw it last, and every other one as it was stored.
async fn assert_holds(api: &Api, last_seen: &BTreeMap<ProductId, ProductView>) {
    let mut changed = 0;
    for item in api.scan("ProductsTable").await {
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

/// The number of products in the list, which reads their index.
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

/// The stored progress of a run over products.
async fn progress(api: &Api) -> Option<Value> {
    api.scan("SettingsTable").await.into_iter().find(|item| item["pk"] == PROGRESS)
}

fn put_progress(api: &Api, progress: &Value) {
    let item: serde_dynamo::Item = serde_dynamo::to_item(progress).unwrap();
    let stores = api.inside().unwrap().platform().stores();
    stores.put_item("SettingsTable", &json!(item)).unwrap();
}

/// The calls of operators and of tests so far, by table and permission.
fn calls_of_operators(api: &Api) -> BTreeMap<(String, String), u64> {
    let mut calls = BTreeMap::new();
    for (kind, count) in api.inside().unwrap().platform().stores().calls() {
        if kind.service != "dynamodb" || !kind.function.is_empty() {
            continue;
        }
        // A backfill's only transaction deletes its progress.
        let is_transaction = kind.operation == "TransactWriteItems";
        let action = if is_transaction { "DeleteItem".to_owned() } else { kind.operation };
        *calls.entry((kind.resource, action)).or_default() += count;
    }
    calls
}

/// The number of name claims in the table.
async fn claims(api: &Api) -> usize {
    let is_claim = |item: &&Value| item["pk"].as_str().unwrap().starts_with("name#");
    api.scan("ProductsTable").await.iter().filter(is_claim).count()
}
