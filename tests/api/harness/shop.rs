//! The steps of the shop's users.

use client::{Client, NewUser};
use domain::BusinessRules;
use domain::callback::ObjectId;
use domain::catalogue::{Amount, Currency, Money, ProductDraft, ProductId};
use domain::orders::OrderDraft;
use domain::people::{AddressDraft, AddressId};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use super::{Api, PASSWORD, eventually, unique};

/// The first customer of the demo, and their address.
pub(crate) const CUSTOMER: Uuid = uuid!("00000000-0000-7000-8000-000000000001");
pub(crate) const ADDRESS: Uuid = uuid!("00000000-0000-7000-8000-000000000201");

/// An e-mail address that no other test has.
pub(crate) fn unique_email() -> String {
    format!("{}@example.com", unique("ada"))
}

/// An object that no other test has, and that is online: its number is even.
pub(crate) fn unique_object() -> i64 {
    // The upper 48 bits are all random.
    i64::try_from(Uuid::new_v4().as_u128() >> 80).expect("48 bits fit") & !1
}

/// The sign-up of a new user.
pub(crate) fn user(email: &str) -> NewUser {
    let (email, password, name) = (email.to_owned(), PASSWORD.to_owned(), "Ada".to_owned());
    NewUser { user_id: None, email, password, name }
}

/// The token that a verification mail carries.
pub(crate) fn proof_in(mail: &Value) -> String {
    let text = mail["text"].as_str().unwrap();
    let begin = text.find('{').expect("the mail carries a proof");
    let end = text.find('}').expect("the proof is an object");
    let proof: Value = serde_json::from_str(&text[begin..=end]).expect("the proof is JSON");
    proof["token"].as_str().unwrap().to_owned()
}

/// A product that no other test has, of 2.00 EUR less 10 %, with this stock.
pub(crate) fn lamp(stock: i64) -> ProductDraft {
    read(json!({
        "name": unique("Lamp"), "description": "It shines.", "discount": 10, "stock": stock,
        "price": euros(200),
    }))
}

/// An amount in cents.
pub(crate) fn euros(cents: i64) -> Money {
    Money { amount: Amount::of_minor_units(cents), currency: Currency::EUR }
}

/// An address.
pub(crate) fn home() -> AddressDraft {
    read(json!({
        "buildingNumber": 44, "streetName": "Main Street", "city": "Springfield", "country": "US",
    }))
}

/// An order of some pieces of one product, for the demo customer's address.
pub(crate) fn order_of(product_id: ProductId, quantity: i64) -> OrderDraft {
    read(json!({
        "items": [{ "productId": product_id, "quantity": quantity }],
        "addressId": ADDRESS, "paymentMethod": "CARD",
    }))
}

/// A value of an API type, from JSON.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the JSON fits the type")
}

/// A new product of a merchant, as [`lamp`].
pub(crate) async fn new_product(merchant: &Client, stock: i64) -> ProductId {
    merchant.post_product(&lamp(stock), None).await.expect("a product").data.product_id
}

/// All pieces of a product in stock, also those in parts, by the items of the products' table.
pub(crate) fn stock_in(products: &[Value], product: ProductId) -> u64 {
    let of_it = products.iter().filter(|item| item["productId"] == json!(product));
    let pieces = of_it.filter_map(|item| item["stock"].as_u64().or(item["pieces"].as_u64()));
    pieces.sum()
}

/// A new address of a customer.
pub(crate) async fn new_address(customer: &Client) -> AddressId {
    customer.post_address(&home(), None).await.expect("an address").data.address_id
}

impl Api {
    /// Sets a rule, on a platform where no function has read the rules yet.
    pub(crate) fn set_rule(&self, name: &str, value: Value) {
        let mut rules =
            serde_json::to_value(BusinessRules { version: 1, ..BusinessRules::default() }).unwrap();
        rules["pk"] = json!("rules");
        rules[name] = value;
        self.put_item("SettingsTable", rules);
    }

    /// An object that was just seen and is online. Returns its id.
    pub(crate) async fn new_object(&self) -> ObjectId {
        let object = unique_object();
        let callback = read(json!({ "object_ids": [object] }));
        self.client().post_callback(&callback).await.expect("the callback is accepted");
        eventually("the object to appear", async || {
            self.client().get_object(object.into()).await.is_ok().then_some(object.into())
        })
        .await
    }
}
