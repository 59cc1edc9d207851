//! Example records for tests, in this crate and in dependent crates.

use crate::BusinessRules;
use crate::articles::Article;
use crate::catalogue::Product;
use crate::communications::{LoggedMessage, UpstreamCall};
use crate::orders::{
    Order, OrderDraft, OrderFacts, OrderStatus, PlaceOrder, SerialNumber, place_order,
};
use crate::people::{Address, Role, SignedIn, Tier, User, UserId};
use lifecycle::commit::OutboxRow;
use lifecycle::consumer::ScheduledRun;
use lifecycle::envelope::Envelope;
use lifecycle::{Moment, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A fixed moment.
pub fn moment() -> Moment {
    Moment::new(Timestamp::from_millis(1_800_000_000_000), [1; 32])
}

/// A customer who has just signed up.
pub fn ann() -> User {
    ann_with_token().0
}

/// The same customer, and the token of her verification mail.
pub fn ann_with_token() -> (User, String) {
    let draft = read(json!({
        "email": "ann@example.com", "password": "correct-horse-battery", "name": "Ann"
    }));
    let (ann, requested) = User::sign_up(&moment(), &draft, "hash".to_owned());
    (ann, requested.token)
}

/// A product of Ann's: 2.00 EUR less 10 %, five pieces.
pub fn lamp() -> Product {
    let draft = read(json!({
        "name": "Lamp", "description": "It shines.", "stock": 5,
        "price": { "amount": 200, "currency": "EUR" }, "discount": 10,
    }));
    Product::new(&moment(), ann().user_id, &draft)
}

/// A pending order of Ann's: two lamps.
///
/// # Panics
///
/// If the default rules do not allow this order.
pub fn pending_order() -> Order {
    let address = home();
    let draft: OrderDraft = read(json!({
        "items": [{ "productId": lamp().product_id, "quantity": 2 }],
        "addressId": address.address_id, "paymentMethod": "CARD",
    }));
    let command = PlaceOrder::try_from(draft).expect("the draft is well-formed");
    let facts = OrderFacts {
        products: vec![Some(lamp())],
        address: Some(address),
        customer: Some(ann()),
        rules: BusinessRules::default(),
    };
    let caller = signed_in(ann().user_id, &[Role::Customer]);
    place_order(&moment(), &caller, &command, facts).expect("the order breaks no rule")
}

/// The same order, approved with the number 7.
///
/// # Panics
///
/// As [`pending_order`].
pub fn approved_order() -> Order {
    let number = SerialNumber::try_from(7).expect("there is such a number");
    let order = pending_order();
    let status = OrderStatus::Approved;
    Order { status, serial_number: Some(number), version: order.version + 1, ..order }
}

/// Ann's address.
pub fn home() -> Address {
    let address = read(json!({
        "buildingNumber": 44, "streetName": "Street", "city": "City", "country": "DE"
    }));
    Address::new(&moment(), ann().user_id, &address)
}

/// A draft article by Ann.
pub fn article() -> Article {
    let draft = read(json!({ "title": "How lamps shine", "content": "They glow." }));
    Article::new(&moment(), ann().user_id, &draft)
}

/// The same draft, approved by two editors.
///
/// # Panics
///
/// Never: the two editors differ.
pub fn approved_article() -> Article {
    ["first editor", "second editor"].iter().fold(article(), |article, editor| {
        let approved = article.approved_by(moment().id(editor).into(), moment().now());
        approved.expect("each editor approves once")
    })
}

/// A caller who is signed in.
pub fn signed_in(user_id: UserId, roles: &[Role]) -> SignedIn {
    SignedIn {
        user_id,
        roles: roles.to_vec(),
        tier: Tier::Standard,
        email_verified: true,
        expires_at: moment().now().plus_seconds(900),
    }
}

/// A run of a schedule.
pub fn scheduled_run() -> ScheduledRun {
    ScheduledRun { id: "run-1".to_owned(), time: moment().now() }
}

/// An envelope as a queue delivers it: its data is read back from JSON.
pub fn envelope<D: Serialize + DeserializeOwned>(event_type: &str, data: D) -> Envelope<D> {
    read(json!({
        "eventId": "event-1", "eventType": event_type, "version": 1,
        "occurredAt": moment().now(), "aggregateId": "aggregate-1", "requestId": "request-1",
        "data": data,
    }))
}

/// An event that waits in the outbox.
pub fn outbox_row(event_type: &str) -> OutboxRow {
    let envelope = envelope(event_type, json!({ "orderId": "1" }));
    let expires_at = moment().now().plus_seconds(60).as_seconds();
    OutboxRow {
        envelope,
        relayed_at: None,
        expires_at,
        refusals: 0,
        refused_at: None,
        set_aside_at: None,
    }
}

/// A pending communication with the partner.
pub fn communication() -> UpstreamCall {
    let route = "GET /partner/products".to_owned();
    let upstream = ("partner", "https://partner.example.com/v2/product-list".to_owned());
    let request_id = "request-1".to_owned();
    UpstreamCall::begin(
        &moment(),
        request_id,
        "ann-shop",
        route,
        upstream,
        LoggedMessage::default(),
    )
}

/// A value from its JSON.
///
/// # Panics
///
/// If the JSON is not such a value: a mistake in the test.
pub fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the test's JSON is valid")
}
