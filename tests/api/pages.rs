//! Lists page by page: cursors, and walks while others write.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use local::options::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Api, order_of, own, shared, unique};

const LISTS: [&str; 2] = ["/orders", "/products"];

#[tokio::test]
async fn a_page_says_how_it_was_read_and_where_the_next_one_begins() {
    let api = shared().await;
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
async fn whatever_else_is_asked_of_a_list_is_refused_by_its_name() {
    let api = shared().await;
    let long = format!("cursor={}", "A".repeat(513));
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
async fn a_cursor_is_good_for_its_own_list_and_direction_and_as_it_was_given() {
    let api = shared().await;
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
    assert_eq!(larger.status, 200, "the size of pages may change on the way");
}

#[tokio::test]
async fn orders_are_listed_for_administrators_alone() {
    let api = shared().await;
    let customer = api.token("customer").await;
    api.get("/orders").token(&customer).send().await.error(403, "FORBIDDEN");
    api.get("/orders").send().await.gateway(401, "Unauthorized");
}

#[tokio::test]
async fn an_order_is_shown_to_its_customer_and_to_administrators() {
    let api = shared().await;
    let [order, _] = two_orders(&api).await;
    let path = format!("/orders/{}", order["orderId"].as_str().unwrap());
    for who in ["customer", "admin"] {
        let shown = api.get(&path).token(&api.token(who).await).send().await.data(200);
        assert_eq!(shown["orderId"], order["orderId"]);
        assert_eq!((&shown["items"], &shown["total"]), (&order["items"], &order["total"]));
    }
    let other = api.token("gold").await;
    api.get(&path).token(&other).send().await.error(404, "NOT_FOUND");
    let unknown = format!("/orders/{}", Uuid::new_v4());
    api.get(&unknown).token(&other).send().await.error(404, "NOT_FOUND");
    let refused = api.get("/orders/one").token(&other).send().await;
    assert_eq!(refused.error_fields(400, "INVALID_REQUEST"), ["path.orderId"]);
    api.get(&path).send().await.gateway(401, "Unauthorized");
}

#[tokio::test]
async fn a_product_is_found_by_its_very_name() {
    let api = shared().await;
    let product = api.new_product(&api.token("merchant").await, 1).await;
    let product = api.get(&format!("/products/{product}")).send().await.data(200);
    let name = product["name"].as_str().unwrap();
    let page = api.get(&format!("/products?name={name}")).send().await.json();
    assert_eq!((&page["data"], &page["count"]), (&json!([product]), &json!(1)));
    assert_eq!(page.get("nextCursor"), None);
    for other in [&name[1..], &name.to_uppercase()] {
        let page = api.get(&format!("/products?name={other}")).send().await.json();
        assert_eq!((&page["data"], &page["count"]), (&json!([]), &json!(0)), "{other}");
    }
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
async fn a_walk_over_1_000_orders_during_inserts_meets_each_old_one_once_and_in_order() {
    let Some(api) = own(Options { demo: true, ..Options::default() }).await else { return };
    let old = a_thousand_orders(&api).await;
    for direction in ["asc", "desc"] {
        let walked = AtomicBool::new(false);
        let walk = async {
            let met = walk(&api, direction).await;
            walked.store(true, SeqCst);
            met
        };
        let (mut met, inserted) = tokio::join!(walk, insert_until(&api, &walked));

        assert!(inserted > 0, "others wrote meanwhile");
        let ids: HashSet<&str> = met.iter().map(|(_, id)| id.as_str()).collect();
        assert_eq!(ids.len(), met.len(), "no order twice, {direction}");
        assert!(old.iter().all(|id| ids.contains(id.as_str())), "no old one missing, {direction}");
        if direction == "desc" {
            met.reverse();
        }
        assert!(met.is_sorted(), "sorted over all pages, {direction}");
    }
}

/// All orders in pages of 37: when each was created, and its id.
async fn walk(api: &Api, direction: &str) -> Vec<(String, String)> {
    let mut met = Vec::new();
    let mut query = format!("limit=37&order={direction}");
    loop {
        let page = list_by_admin(api, "/orders", &query).await.json();
        let text = |order: &Value, field: &str| order[field].as_str().unwrap().to_owned();
        let orders = page["data"].as_array().unwrap().iter();
        met.extend(orders.map(|order| (text(order, "createdAt"), text(order, "orderId"))));
        let Some(next) = page.get("nextCursor") else { return met };
        query = format!("limit=37&order={direction}&cursor={}", next.as_str().unwrap());
    }
}

/// Places orders until told to stop; gives their number.
async fn insert_until(api: &Api, told: &AtomicBool) -> u32 {
    let (product, address, token) = shop(api).await;
    let mut inserted = 0;
    while !told.load(SeqCst) {
        let order = order_of(&product, 1, &address);
        api.order(&token, &unique("key"), &order).send().await.data(201);
        inserted += 1;
    }
    inserted
}

/// Writes 1 000 old orders past all functions, modelled on one that was placed; gives their ids.
async fn a_thousand_orders(api: &Api) -> Vec<String> {
    const TABLE: &str = "local-OrdersTable";
    let [placed, _] = two_orders(api).await;
    let key = json!({ "TableName": TABLE, "Key": { "pk": { "S": placed["orderId"] } } });
    let model = api.ask_stores("DynamoDB_20120810.GetItem", &key).await["Item"].take();
    let ids: Vec<String> = (0..1_000).map(|_| Uuid::new_v4().to_string()).collect();
    let items = ids.iter().enumerate().map(|(number, id)| {
        // Two orders of each second, in whatever partition.
        let created_at = format!("2026-01-01T00:{:02}:{:02}.000Z", number / 120, number / 2 % 60);
        let mut item = model.clone();
        for (attribute, value) in [
            ("pk", id),
            ("orderId", id),
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
async fn two_orders(api: &Api) -> [Value; 2] {
    let (product, address, token) = shop(api).await;
    let order = order_of(&product, 1, &address);
    let (first, second) = (unique("key"), unique("key"));
    let first = api.order(&token, &first, &order).send();
    let second = api.order(&token, &second, &order).send();
    [first.await.data(201), second.await.data(201)]
}

/// A product of plenty, an address of the demo's customer, and their token.
async fn shop(api: &Api) -> (String, String, String) {
    let token = api.token("customer").await;
    let product = api.new_product(&api.token("merchant").await, 10_000).await;
    let address = api.new_address(&token).await;
    (product, address, token)
}

async fn list_by_admin(api: &Api, list: &str, query: &str) -> Answer {
    let admin = api.token("admin").await;
    api.get(&format!("{list}?{query}")).token(&admin).send().await
}

fn next_cursor(page: &Value) -> String {
    page["nextCursor"].as_str().unwrap_or_else(|| panic!("there is more: {page}")).to_owned()
}
