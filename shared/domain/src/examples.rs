//! Example records for tests, in this crate and in dependent crates.

use crate::BusinessRules;
use crate::articles::Article;
use crate::catalogue::Product;
use crate::communications::{LoggedMessage, UpstreamCall};
use crate::orders::{
    Order, OrderDraft, OrderFacts, PlaceOrder, SerialNumber, Transition, TransitionResult,
    place_order,
};
use crate::people::{Address, Role, SignedIn, Tier, User, UserId};
pub use lifecycle::examples::{envelope, moment, outbox_row, read, scheduled_run};
use serde_json::{Value, json};

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
        products: vec![Some(lamp().into())],
        supplies: Vec::new(),
        address: Some(address.into()),
        customer: Some(ann().into()),
        rules: BusinessRules::default(),
    };
    let caller = signed_in(ann().user_id, &[Role::Customer]);
    place_order(&moment(), &caller, &command, facts).expect("the order breaks no rule").order
}

/// The same order, approved with the number 7.
///
/// # Panics
///
/// As [`pending_order`].
pub fn approved_order() -> Order {
    let number = SerialNumber::try_from(7).expect("there is such a number");
    match pending_order().after(Transition::Approve(number), moment().now()) {
        TransitionResult::Changed(change) => change.order,
        TransitionResult::Lapsed(_) | TransitionResult::None => {
            unreachable!("a pending order can be approved")
        }
    }
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

/// The claims of a user's access token, as the authorizer passes them on.
pub fn claims_of(user: &User) -> Value {
    let mut claims = user.claims();
    claims.insert("exp".to_owned(), json!(moment().now().plus_seconds(900).as_seconds()));
    Value::Object(claims)
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
