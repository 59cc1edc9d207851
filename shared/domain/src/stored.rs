//! Every stored record can be read, also one from a version with other bounds of input.

use lifecycle::commit::OutboxRow;
use lifecycle::record::{Record, item_of};
use lifecycle::released::is_read_with;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::articles::Article;
use crate::catalogue::{NameClaim, Product};
use crate::communications::UpstreamCall;
use crate::credit::Reservation;
use crate::examples::{
    ann, approved_article, approved_order, article, communication, home, lamp, outbox_row,
    pending_order, read,
};
use crate::orders::{Order, OrderCreated, OrderSummary};
use crate::people::{Address, EmailClaim, User};

/// A text that input refuses now, and that an earlier version may have accepted.
const ODD_TEXT: &str = " \u{feff}Kettle\u{ffff}\u{202e}\u{2028}\u{0} ";

#[test]
fn every_record_is_read_with_values_that_input_refuses() {
    let (text, long) = (json!(ODD_TEXT), json!("x".repeat(100_000)));
    let (huge, negative) = (json!(i64::MAX), json!(-1));
    is_read_with::<Product>(
        &lamp(),
        &[
            ("/name", text.clone()),
            ("/description", long.clone()),
            ("/stock", huge.clone()),
            ("/stock", negative),
            ("/discount", json!(100)),
            ("/price/amount", huge.clone()),
        ],
    );
    let claim = NameClaim { name: lamp().name, product_id: lamp().product_id };
    is_read_with(&claim, &[("/name", text.clone())]);
    is_read_with::<User>(
        &ann(),
        &[("/name", text.clone()), ("/name", long.clone()), ("/email", json!("Ann@localhost"))],
    );
    is_read_with::<EmailClaim>(&ann().email_claim(), &[]);
    is_read_with::<Address>(
        &home(),
        &[("/city", text.clone()), ("/streetName", long.clone()), ("/buildingNumber", json!(0))],
    );
    for order in [pending_order(), approved_order()] {
        is_read_with::<Order>(
            &order,
            &[
                ("/items/0/name", text.clone()),
                ("/items/0/quantity", json!(100)),
                ("/total/amount", huge.clone()),
            ],
        );
    }
    let summary = OrderSummary::of(&approved_order(), Some(&ann()), &home()).unwrap();
    is_read_with(&summary, &[("/client/clientName", text.clone())]);
    for article in [article(), approved_article()] {
        is_read_with::<Article>(&article, &[("/title", text.clone()), ("/content", long.clone())]);
    }
    is_read_with::<OutboxRow>(&outbox_row("OrderCreated"), &[("/eventType", text)]);
    is_read_with::<UpstreamCall>(&communication(), &[]);
    let reservation: Reservation = read(json!({
        "orderId": pending_order().order_id, "userId": ann().user_id, "status": "HELD",
        "amount": { "amount": 1, "currency": "EUR" },
    }));
    is_read_with(&reservation, &[("/amount/amount", huge)]);
}

#[test]
fn an_event_with_values_that_input_refuses_is_read_by_its_consumers() {
    let mut order = serde_json::to_value(pending_order().created()).unwrap();
    order["items"][0]["name"] = ODD_TEXT.into();
    let created: OrderCreated = lifecycle::stored::from_json(&order.to_string()).unwrap();
    assert_eq!(serde_json::to_value(created).unwrap(), order);
}

#[test]
fn a_record_of_the_previous_version_is_read_without_the_new_fields() {
    fn without<R: Record + Serialize + DeserializeOwned>(record: &R, fields: &[&str]) {
        let mut item = item_of(record);
        for field in fields {
            item.remove(*field);
        }
        R::of_item(item).unwrap();
    }
    without(
        &outbox_row("OrderCreated"),
        &["refusals", "refusedAt", "setAsideAt", "traceparent", "tracestate"],
    );
    without(&pending_order(), &["settleBy", "serialNumber", "createdEventId"]);
}
