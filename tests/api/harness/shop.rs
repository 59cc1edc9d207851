//! The steps that people take in this shop.

use std::time::Duration;

use domain::Rules;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Answer, Api, Call, asked_for};

/// The password of everybody in the demo and in these tests.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// How long something may take that is to happen by itself, unless `BLACKBOX_PATIENCE_S` says
/// otherwise. On a busy machine a message may fail a few times, and then waits for some seconds.
const PATIENCE_S: usize = 60;

/// Something that no other test has: `lamp-0190…`.
pub(crate) fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", Uuid::new_v4().simple())
}

/// An object that no other test has, and that is online: its number is even.
pub(crate) fn unique_object() -> i64 {
    // The upper 48 bits are random, all of them.
    i64::try_from(Uuid::new_v4().as_u128() >> 80).expect("48 bits fit") & !1
}

/// Somebody who signs up.
pub(crate) fn user(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "name": "Ada" })
}

/// The proof that a verification mail carries.
pub(crate) fn proof_in(mail: &Value) -> Value {
    let text = mail["text"].as_str().unwrap();
    let begin = text.find('{').expect("the mail carries a proof");
    let end = text.find('}').expect("it is an object");
    serde_json::from_str(&text[begin..=end]).expect("it can be sent as it is")
}

/// An order of some pieces of one product.
pub(crate) fn order_of(product_id: &str, quantity: u32, address_id: &str) -> Value {
    json!({
        "items": [{ "productId": product_id, "quantity": quantity }],
        "addressId": address_id, "paymentMethod": "CARD",
    })
}

/// A value of one of the API's own types, as it is written.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the test writes what the API reads")
}

impl Api {
    /// A new product of 2.00 EUR less 10 %, with so many pieces; gives its id.
    pub(crate) async fn new_product(&self, merchant: &str, stock: u32) -> String {
        let product = read(json!({
            "name": unique("Lamp"), "description": "It shines.", "discount": 10, "stock": stock,
            "price": { "amount": 200, "currency": "EUR" },
        }));
        let created = self.store().with_token(merchant).post_product(&product, None).await;
        created.expect("a product").data.product_id.to_string()
    }

    /// A new address of somebody's; gives its id.
    pub(crate) async fn new_address(&self, token: &str) -> String {
        let address = read(json!({
            "buildingNumber": 44, "streetName": "Main Street", "city": "Springfield",
            "country": "US",
        }));
        let created = self.store().with_token(token).post_address(&address, None).await;
        created.expect("an address").data.address_id.to_string()
    }

    /// Lets another rule hold than by default, on a platform where nobody has asked for the rules
    /// yet.
    pub(crate) fn set_rule(&self, name: &str, value: Value) {
        let mut rules = serde_json::to_value(Rules { version: 1, ..Rules::default() }).unwrap();
        rules["pk"] = json!("rules");
        rules[name] = value;
        self.put_item("SettingsTable", rules);
    }

    /// An object that was just seen and is online; gives its id.
    pub(crate) async fn new_object(&self) -> i64 {
        let object = unique_object();
        let callback = read(json!({ "object_ids": [object] }));
        self.store().post_callback(&callback).await.expect("it is taken in");
        eventually("the object to appear", async || {
            self.store().get_object(object.into()).await.is_ok().then_some(object)
        })
        .await
    }

    /// An order, to be sent.
    pub(crate) fn order(&self, token: &str, key: &str, order: &Value) -> Call {
        self.post("/orders", order).token(token).key(key)
    }
}

/// Asks again as long as too many others are at the same thing, as the answer says.
pub(crate) async fn until_done(ask: impl AsyncFn() -> Answer) -> Answer {
    loop {
        let answer = ask().await;
        if answer.status != 503 {
            return answer;
        }
        assert_eq!(answer.header("retry-after"), "1");
    }
}

/// Waits until something is there.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let patience_s = asked_for("BLACKBOX_PATIENCE_S", PATIENCE_S);
    let end = Instant::now() + Duration::from_secs(patience_s as u64);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
