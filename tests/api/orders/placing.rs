//! Orders: their stock, ids of resources, and repeated requests.

use domain::catalogue::ProductId;
use domain::people::AddressDraft;
use emulator::options::Options;
use uuid::Uuid;

use crate::harness::{
    Control, Refused, eventually, fresh_platform, home, new_address, new_product, order_of,
    shared_platform, unique, unique_email, user, when,
};

#[tokio::test]
async fn an_order_reduces_the_stock_of_each_of_its_items() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let (merchant, customer) = (api.person("merchant").await, api.person("customer").await);
    let (lamp, teapot) = (new_product(&merchant, 5).await, new_product(&merchant, 7).await);
    let both = |teapots| {
        let mut order = order_of(lamp, 2);
        order.items.extend(order_of(teapot, teapots).items);
        order
    };
    customer.create_order(&both(7), None).await.unwrap();
    assert_eq!((stock(&control, lamp).await, stock(&control, teapot).await), (3, 0));

    let refused = customer.create_order(&both(1), None).await;
    assert_eq!(refused.refused_fields(422, "OUT_OF_STOCK"), ["/items/1/quantity"]);
    assert_eq!(stock(&control, lamp).await, 3, "all of an order or nothing");
}

#[tokio::test]
async fn the_queues_take_the_event_of_an_order_after_its_response() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let control = api.control().unwrap();
    let (merchant, customer) = (api.person("merchant").await, api.person("customer").await);
    let order = order_of(new_product(&merchant, 1).await, 1);
    let placed = customer.create_order(&order, None).await.unwrap().data.order_id;
    let approved = async || {
        when(control.item("OrdersTable", placed).await, |order| order["status"] == "APPROVED")
    };
    eventually("the order to be approved", approved).await;
    control.mail("customer@example.com", "We have received").await;
    let failed = control.metric("errors_total", &[r#"type="TERTIARY_EFFECT_FAILED""#]).await;
    assert!(failed < 1.0, "the schedule has nothing to repeat");
    assert!(control.table("OutboxTable").await.is_empty(), "no event has a row");
}

#[tokio::test]
async fn a_client_may_choose_ids_and_otherwise_gets_uuidv7() {
    let api = shared_platform().await;
    let customer = api.person("customer").await;
    let minted = new_address(&customer).await;
    assert_eq!(Uuid::parse_str(&minted.to_string()).unwrap().get_version_num(), 7);

    let chosen = Uuid::new_v4().into();
    let draft = AddressDraft { address_id: Some(chosen), ..home() };
    assert_eq!(customer.post_address(&draft, None).await.unwrap().data.address_id, chosen);
}

#[tokio::test]
async fn a_sign_up_that_is_repeated_with_its_key_is_one_account() {
    let (api, key) = (shared_platform().await, unique("key"));
    let (store, ada) = (api.client(), user(&unique_email()));
    let first = store.post_user(&ada, Some(&key)).await.unwrap();
    let second = store.post_user(&ada, Some(&key)).await.unwrap();
    let second_id = second.data.user_id;
    assert_eq!((second.is_replayed(), second.data), (true, first.data));
    let other = store.post_user(&ada, None).await.unwrap().data;
    assert_ne!(
        other.user_id, second_id,
        "without the key it is another sign-up, which replaces the first"
    );
}

/// Read from the table itself, because the API may return a cached product.
async fn stock(control: &Control, product: ProductId) -> u64 {
    control.item("ProductsTable", product).await["stock"].as_u64().unwrap()
}
