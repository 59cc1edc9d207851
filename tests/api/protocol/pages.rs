//! Lists page by page: cursors, and walks during writes.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use client::Client;
use domain::catalogue::ProductName;
use domain::orders::{OrderDraft, OrderId, OrderView};
use emulator::options::Options;
use lifecycle::Timestamp;
use lifecycle::paging::{Direction, PageQuery};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Api, ApiResponse, Refused, fresh_platform, new_product, order_of, read, shared_platform,
};

const LISTS: [&str; 2] = ["/orders", "/products"];

#[tokio::test]
async fn a_page_reports_its_count_limit_order_and_next_cursor() {
    let api = shared_platform().await;
    two_orders(&api).await;
    for (list, order) in [("/orders", "desc"), ("/products", "asc")] {
        let page = list_by_admin(&api, list, "limit=1").await.json();
        assert_eq!(page["data"].as_array().unwrap().len(), 1, "{page}");
        assert_eq!((&page["count"], &page["limit"]), (&json!(1), &json!(1)));
        assert_eq!(page["order"], order);
        let next = next_cursor(&page);
        let next = list_by_admin(&api, list, &format!("limit=1&cursor={next}")).await.json();
        assert_ne!(next["data"][0], page["data"][0]);
        let page = list_by_admin(&api, list, "").await.json();
        assert_eq!(page["limit"], 20);
    }
}

#[tokio::test]
async fn an_invalid_query_parameter_of_a_list_is_400_with_its_name() {
    let api = shared_platform().await;
    let long = format!("cursor={}", "A".repeat(1_388));
    for list in LISTS {
        for (query, fields) in [
            ("limit=0", &["query.limit"][..]),
            ("limit=101", &["query.limit"]),
            ("limit=-1", &["query.limit"]),
            ("limit=1.5", &["query.limit"]),
            ("limit=x", &["query.limit"]),
            ("limit=", &["query.limit"]),
            ("limit=1&limit=2", &["query.limit"]),
            ("order=up;%20DROP%20TABLE%20orders", &["query.order"]),
            ("order=DESC", &["query.order"]),
            ("offset=20", &["query.offset"]),
            ("limit=0&order=up&page=2", &["query.limit", "query.order", "query.page"]),
            ("cursor=", &["query.cursor"]),
            ("cursor=AAAA", &["query.cursor"]),
            ("cursor=%F0%9F%A6%80", &["query.cursor"]),
            (&long, &["query.cursor"]),
        ] {
            let refused = list_by_admin(&api, list, query).await;
            assert_eq!(refused.error_fields(400, "INVALID_REQUEST"), fields, "{list}?{query}");
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_or_direction_or_a_changed_one_is_400() {
    let api = shared_platform().await;
    two_orders(&api).await;
    let ours = next_cursor(&list_by_admin(&api, "/orders", "limit=1&order=asc").await.json());
    let others = next_cursor(&list_by_admin(&api, "/products", "limit=1&order=asc").await.json());
    let changed = |at: usize| {
        let other = if ours[at..].starts_with('A') { "B" } else { "A" };
        format!("{}{other}{}", &ours[..at], &ours[at + 1..])
    };
    let wrong = [
        others,
        changed(0),
        changed(ours.len() / 4),
        changed(ours.len() / 2),
        changed(ours.len() - 1),
        ours[1..].to_owned(),
        ours[..ours.len() - 4].to_owned(),
        format!("{ours}AAAA"),
    ];
    for cursor in wrong {
        let query = format!("order=asc&cursor={cursor}");
        let refused = list_by_admin(&api, "/orders", &query).await;
        assert_eq!(refused.error_fields(400, "INVALID_REQUEST"), ["query.cursor"], "{cursor}");
    }
    let turned = list_by_admin(&api, "/orders", &format!("order=desc&cursor={ours}")).await;
    assert_eq!(turned.error_fields(400, "INVALID_REQUEST"), ["query.cursor"]);
    let larger = list_by_admin(&api, "/orders", &format!("order=asc&limit=2&cursor={ours}")).await;
    assert_eq!(larger.status, 200, "the page size may change during a walk");
}

#[tokio::test]
async fn orders_are_listed_only_for_administrators() {
    let (api, page) = (shared_platform().await, PageQuery::default());
    api.person("customer").await.list_orders(&page).await.refused(403, "FORBIDDEN");
    api.client().list_orders(&page).await.refused_by_gateway(401);
}

#[tokio::test]
async fn an_order_is_shown_only_to_its_customer_and_to_administrators() {
    let api = shared_platform().await;
    let [order, _] = two_orders(&api).await;
    for who in ["customer", "admin"] {
        let shown = api.person(who).await.get_order(order.order_id).await.unwrap().data;
        assert_eq!(shown.order_id, order.order_id);
        assert_eq!((shown.items, shown.total), (order.items.clone(), order.total));
    }
    let other = api.person("gold").await;
    other.get_order(order.order_id).await.refused(404, "NOT_FOUND");
    other.get_order(Uuid::new_v4().into()).await.refused(404, "NOT_FOUND");
    let refused = api.get("/orders/one").token(&api.token("gold").await).send().await;
    assert_eq!(refused.error_fields(400, "INVALID_REQUEST"), ["path.orderId"]);
    api.client().get_order(order.order_id).await.refused_by_gateway(401);
}

#[tokio::test]
async fn a_walk_over_all_product_pages_has_no_product_twice() {
    let api = shared_platform().await;
    let newest = new_product(&api.person("merchant").await, 1).await;
    let (mut asked, mut met) = (read(json!({ "limit": 100 })), Vec::new());
    loop {
        let page = api.client().list_products(None, &asked).await.unwrap().data;
        met.extend(page.items.iter().map(|product| product.product_id));
        match page.next(&asked) {
            Some(next) => asked = next,
            None => break,
        }
    }
    assert!(met.contains(&newest));
    assert_eq!(met.iter().collect::<HashSet<_>>().len(), met.len(), "no product twice");
}

#[tokio::test]
async fn a_product_is_found_only_by_its_whole_name_in_any_case() {
    let api = shared_platform().await;
    let product = new_product(&api.person("merchant").await, 1).await;
    let product = api.client().get_product(product).await.unwrap().data;
    let name = product.name.as_str();
    let named = async |name: &str| {
        let name = ProductName::try_from(name.to_owned()).unwrap();
        api.client().list_products(Some(&name), &PageQuery::default()).await.unwrap().data
    };
    let page = named(name).await;
    assert_eq!((page.next_cursor, page.items), (None, vec![product.clone()]));
    for spelled in [name.to_uppercase(), format!(" {} ", name.to_lowercase())] {
        assert_eq!(named(&spelled).await.items, std::slice::from_ref(&product), "{spelled}");
    }
    assert_eq!(named(&name[1..]).await.items, []);
    for (query, field) in [
        ("name=", "query.name"),
        ("name=%0A", "query.name"),
        ("name=Lamp&cursor=AAAA", "query.cursor"),
    ] {
        let refused = api.get(&format!("/products?{query}")).send().await;
        assert_eq!(refused.error_fields(400, "INVALID_REQUEST"), [field], "{query}");
    }
}

#[tokio::test]
async fn a_walk_during_inserts_has_each_of_1_000_old_orders_once_and_sorted() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let old = a_thousand_orders(&api).await;
    for direction in [Direction::Ascending, Direction::Descending] {
        let walked = AtomicBool::new(false);
        let walk = async {
            let met = walk(&api, direction).await;
            walked.store(true, SeqCst);
            met
        };
        let (mut met, inserted) = tokio::join!(walk, insert_until(&api, &walked));

        assert!(inserted > 0, "others wrote meanwhile");
        let ids: HashSet<OrderId> = met.iter().map(|(_, id)| *id).collect();
        assert_eq!(ids.len(), met.len(), "no order twice, {direction:?}");
        assert!(ids.is_superset(&old), "no old order is missing, {direction:?}");
        if direction == Direction::Descending {
            met.reverse();
        }
        assert!(met.is_sorted(), "sorted over all pages, {direction:?}");
    }
}

/// All orders in pages of 37: creation time and id.
async fn walk(api: &Api, direction: Direction) -> Vec<(Timestamp, OrderId)> {
    let (admin, mut met) = (api.person("admin").await, Vec::new());
    let mut asked = PageQuery { order: Some(direction), ..read(json!({ "limit": 37 })) };
    loop {
        let page = admin.list_orders(&asked).await.unwrap().data;
        met.extend(page.items.iter().map(|order| (order.created_at, order.order_id)));
        match page.next(&asked) {
            Some(next) => asked = next,
            None => return met,
        }
    }
}

/// Places orders until `told` is set. Returns their number.
async fn insert_until(api: &Api, told: &AtomicBool) -> u32 {
    let (customer, order) = shop(api).await;
    let mut inserted = 0;
    while !told.load(SeqCst) {
        customer.create_order(&order, None).await.unwrap();
        inserted += 1;
    }
    inserted
}

/// Writes 1 000 old orders directly, modelled on one that was placed. Returns their ids.
async fn a_thousand_orders(api: &Api) -> HashSet<OrderId> {
    const TABLE: &str = "local-OrdersTable";
    let [placed, _] = two_orders(api).await;
    let key = json!({ "TableName": TABLE, "Key": { "pk": { "S": placed.order_id } } });
    let model = api.ask_stores("DynamoDB_20120810.GetItem", &key).await["Item"].take();
    let ids: HashSet<OrderId> = (0..1_000).map(|_| Uuid::new_v4().into()).collect();
    let items = ids.iter().map(ToString::to_string).enumerate().map(|(number, id)| {
        // Two orders of each second, in any partition.
        let created_at = format!("2026-01-01T00:{:02}:{:02}.000Z", number / 120, number / 2 % 60);
        let mut item = model.clone();
        for (attribute, value) in [
            ("pk", &id),
            ("orderId", &id),
            ("createdAt", &created_at),
            ("by_creation_pk", &(number % 4).to_string()),
            ("by_creation_sk", &format!("{created_at}#{id}")),
        ] {
            item[attribute] = json!({ "S": value });
        }
        json!({ "PutRequest": { "Item": item } })
    });
    let items: Vec<Value> = items.collect();
    for some in items.chunks(25) {
        let batch = json!({ "RequestItems": { TABLE: some } });
        api.ask_stores("DynamoDB_20120810.BatchWriteItem", &batch).await;
    }
    ids
}

/// Two orders of the demo's customer.
async fn two_orders(api: &Api) -> [OrderView; 2] {
    let (customer, order) = shop(api).await;
    let place = async || customer.create_order(&order, None).await.unwrap().data;
    [place().await, place().await]
}

/// The demo's customer, and an order with a large stock.
async fn shop(api: &Api) -> (Client, OrderDraft) {
    let product = new_product(&api.person("merchant").await, 10_000).await;
    (api.person("customer").await, order_of(product, 1))
}

async fn list_by_admin(api: &Api, list: &str, query: &str) -> ApiResponse {
    let admin = api.token("admin").await;
    api.get(&format!("{list}?{query}")).token(&admin).send().await
}

fn next_cursor(page: &Value) -> String {
    page["nextCursor"].as_str().unwrap_or_else(|| panic!("there is more: {page}")).to_owned()
}
