//! The use of calls, by the examples of DynamoDB's Developer Guide ("read and write operations",
//! "transactions", "global secondary indexes").

use aws_sdk_dynamodb::types::{Delete, KeysAndAttributes, Update};

use super::*;
use crate::services::start::sweep_once;

const KB: usize = 1 << 10;

/// The read units, write units and SQS requests of some calls.
async fn used(stores: &Stores, calls: impl Future<Output = ()>) -> (f64, f64, u64) {
    let total = || stores.consumed().remove("OrderFunction").unwrap_or_default();
    let before = total();
    calls.await;
    let after = total();
    (
        after.read_units - before.read_units,
        after.write_units - before.write_units,
        after.sqs_requests - before.sqs_requests,
    )
}

/// An item of this size: its attributes have names of two characters.
fn item(id: &str, bytes: usize) -> std::collections::HashMap<String, AttributeValue> {
    let text = "x".repeat(bytes - "pk".len() - id.len() - "it".len());
    [("pk".to_owned(), s(id)), ("it".to_owned(), s(&text))].into()
}

async fn put(clients: &Clients, id: &str, bytes: usize) {
    let put = clients.tables.put_item().table_name("local-UsersTable");
    put.set_item(Some(item(id, bytes))).send().await.unwrap();
}

async fn metered() -> (Stores, Clients) {
    let stores = stores().await;
    stores.switch_meter_on();
    let clients = Clients::of(&stores, "OrderFunction");
    (stores, clients)
}

#[tokio::test]
async fn reads_are_rounded_up_to_4_kb_and_eventually_consistent_ones_cost_half() {
    let (stores, clients) = metered().await;
    for (id, bytes) in [("small", 3 * KB + KB / 2), ("large", 10 * KB), ("6.5", 6 * KB + KB / 2)] {
        put(&clients, id, bytes).await;
    }
    let get = async |id: &str, consistent| {
        let get = clients.tables.get_item().table_name("local-UsersTable").key("pk", s(id));
        get.consistent_read(consistent).send().await.unwrap();
    };
    assert_eq!(used(&stores, get("small", true)).await, (1.0, 0.0, 0));
    assert_eq!(used(&stores, get("small", false)).await, (0.5, 0.0, 0));
    assert_eq!(used(&stores, get("large", true)).await, (3.0, 0.0, 0));
    let keys = ["small", "6.5"].map(|id| [("pk".to_owned(), s(id))].into());
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.into())).consistent_read(true);
    let both = async {
        let batch = clients.tables.batch_get_item();
        batch.request_items("local-UsersTable", keys.build().unwrap()).send().await.unwrap();
    };
    // Each item is rounded separately: 4 KB and 8 KB.
    assert_eq!(used(&stores, both).await, (3.0, 0.0, 0));
}

#[tokio::test]
async fn writes_are_rounded_up_to_1_kb_and_cost_twice_in_a_transaction() {
    let (stores, clients) = metered().await;
    assert_eq!(used(&stores, put(&clients, "a", 512)).await, (0.0, 1.0, 0));
    assert_eq!(used(&stores, put(&clients, "b", KB + KB / 2)).await, (0.0, 2.0, 0));
    assert_eq!(used(&stores, put(&clients, "a", 3 * KB)).await, (0.0, 3.0, 0));
    assert_eq!(
        used(&stores, put(&clients, "a", 512)).await,
        (0.0, 3.0, 0),
        "the larger item before counts"
    );
    let transaction = async {
        let put = Put::builder().table_name("local-UsersTable").set_item(Some(item("c", 3 * KB)));
        let put = TransactWriteItem::builder().put(put.build().unwrap()).build();
        let transact = clients.tables.transact_write_items().transact_items(put);
        transact.send().await.unwrap();
    };
    assert_eq!(used(&stores, transaction).await, (0.0, 6.0, 0));
    let refused = async {
        let put = clients.tables.put_item().table_name("local-UsersTable").item("pk", s("a"));
        put.condition_expression("attribute_not_exists(pk)").send().await.unwrap_err();
    };
    assert_eq!(used(&stores, refused).await, (0.0, 1.0, 0), "a failed condition is paid for");
}

#[tokio::test]
async fn an_index_costs_one_write_for_a_new_entry_and_two_for_a_moved_one() {
    let (stores, clients) = metered().await;
    let enters = async {
        let put = clients.tables.put_item().table_name("local-OrdersTable");
        put.item("pk", s("1")).item("userId", s("ann")).send().await.unwrap();
    };
    assert_eq!(used(&stores, enters).await, (0.0, 2.0, 0));
    let moved = |to: &str| {
        Update::builder()
            .table_name("local-OrdersTable")
            .key("pk", s("1"))
            .update_expression("SET userId = :user")
            .expression_attribute_values(":user", s(to))
            .build()
            .unwrap()
    };
    let moves = async {
        let update = TransactWriteItem::builder().update(moved("bob")).build();
        let transact = clients.tables.transact_write_items().transact_items(update);
        transact.send().await.unwrap();
    };
    assert_eq!(
        used(&stores, moves).await,
        (0.0, 4.0, 0),
        "index writes do not count twice in a transaction"
    );
    let leaves = async {
        let delete = Delete::builder().table_name("local-OrdersTable").key("pk", s("1"));
        let delete = TransactWriteItem::builder().delete(delete.build().unwrap()).build();
        let transact = clients.tables.transact_write_items().transact_items(delete);
        transact.send().await.unwrap();
    };
    assert_eq!(used(&stores, leaves).await, (0.0, 3.0, 0));
}

#[tokio::test]
async fn a_message_is_a_request_for_each_64_kb() {
    let (stores, clients) = metered().await;
    let url = &stores.names().queue("EmailsQueue").unwrap().url;
    let send = async |bytes: usize| {
        let send = clients.queues.send_message().queue_url(url);
        send.message_body("x".repeat(bytes)).send().await.unwrap();
    };
    assert_eq!(used(&stores, send(10)).await, (0.0, 0.0, 1));
    assert_eq!(used(&stores, send(100 * KB)).await, (0.0, 0.0, 2));
}

#[tokio::test]
async fn an_expired_item_stays_while_calls_are_metered() {
    let stores = stores().await;
    let expired = json!({ "pk": { "S": "1" }, "expiresAt": { "N": "1" } });
    let left = async || {
        stores.put_item("OrdersTable", &expired).unwrap();
        sweep_once(&stores.door).await;
        stores.scan("OrdersTable").unwrap().0.len()
    };
    assert_eq!(left().await, 0);
    stores.switch_meter_on();
    assert_eq!(left().await, 1);
}

#[tokio::test]
async fn calls_before_the_meter_is_on_or_of_no_function_are_not_counted() {
    let stores = stores().await;
    let clients = Clients::of(&stores, "OrderFunction");
    put(&clients, "a", 512).await;
    stores.switch_meter_on();
    let operator = Clients::with_key(&stores, "AKIAIOSFODNN7EXAMPLE");
    put(&operator, "b", 512).await;
    assert_eq!(stores.consumed(), BTreeMap::new());
}
