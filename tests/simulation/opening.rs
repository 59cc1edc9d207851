//! The data with which a simulated store opens: people, products, articles, rules and keys.
//!
//! It is the same for each seed, and is made once.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use aws::tokens::KeyRing;
use domain::BusinessRules;
use domain::articles::{Article, ArticleDraft};
use domain::catalogue::{Product, ProductDraft, StockedProduct};
use domain::people::{Address, AddressDraft, User, UserDraft, UserId};
use lifecycle::record::{Record, item_of};
use lifecycle::testing::simulated::{Surroundings, within};
use lifecycle::{Moment, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use simulation::world::Client;
use uuid::Uuid;

use crate::people::{PASSWORD, Person, fixed_id};

/// The time of the first data, a little before each world begins: 2025-12-31T00:00:00Z.
const OPENED_AT: i64 = 1_767_139_200_000;

/// The products: name, price in cents, discount, stock. The last are few, so that they sell out.
pub const PRODUCTS: [(&str, u64, u8, u64); 5] = [
    ("Desk lamp", 2_999, 10, 1_000),
    ("Oak table", 124_900, 0, 1_000),
    ("Teapot", 1_450, 5, 40),
    ("Grand piano", 499_900, 0, 30),
    ("Last umbrella", 1_999, 25, 5),
];

/// The number of parts that the stock of each product is in; 0 for a stock that is in no parts. All seeds
/// order from parts with many pieces, and from parts with two, which are soon empty.
pub const STOCK_PARTS: [u16; 5] = [0, 8, 16, 0, 0];

/// The articles that are there as drafts of the first writer.
pub const ARTICLES: usize = 2;
/// The title of each.
pub const TITLE: &str = "How lamps shine";
/// The text of each.
pub const CONTENT: &str = "They glow.";

/// The time that an order waits for its customer's approval: shorter than usual, so that it passes.
pub const SAGA_TIMEOUT_S: u64 = 120;

/// The id of a product.
pub fn product_id(index: usize) -> Uuid {
    fixed_id(0x2000 + index as u128)
}

/// The id of an article.
pub fn article_id(index: usize) -> Uuid {
    fixed_id(0x3000 + index as u128)
}

/// Opens the store, if it is not open yet. Each operation calls it first, so that a shrunk workload
/// needs no other operation.
pub async fn open(client: &Client) {
    let is_open = !client.items("SettingsTable").is_empty();
    if is_open {
        return;
    }
    for (table, item) in ITEMS.iter() {
        let put = json!({
            "TableName": client.physical(table), "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
        });
        // Another operation may have put it.
        let _ = client.call("DynamoDB_20120810.PutItem", &put).await;
    }
}

/// The two secrets with the keys that sign tokens, and that verify them.
pub fn key_secrets() -> &'static [(&'static str, String); 2] {
    &KEYS
}

/// The first items: the logical id of the table, and the item in `DynamoDB`'s JSON.
pub fn items() -> &'static [(String, Value)] {
    &ITEMS
}

static KEYS: LazyLock<[(&'static str, String); 2]> = LazyLock::new(|| {
    let keys = in_fixed_surroundings(async { KeyRing::generate() });
    let keys = keys.expect("the fixed surroundings have randomness");
    [
        ("SigningKeysSecret", keys.signing_keys().to_string()),
        ("VerificationKeysSecret", keys.verification_keys(None).to_string()),
    ]
});

/// The tables by their logical ids, and the items in `DynamoDB`'s JSON. The rules are last: they show
/// that the store is open.
static ITEMS: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    let moment = Moment::new(Timestamp::from_millis(OPENED_AT), [0; 32]);
    let hash = password_hash();
    let people = Person::all().flat_map(|person| items_of(person, &moment, &hash));
    let products = (0..PRODUCTS.len()).flat_map(|index| product_items(index, &moment));
    let articles = (0..ARTICLES).map(|index| article(index, &moment));
    people.chain(products).chain(articles).chain([rules()]).collect()
});

fn items_of(person: Person, moment: &Moment, hash: &str) -> [(String, Value); 3] {
    let draft: UserDraft = made(json!({
        "userId": person.id(), "email": person.email(), "password": PASSWORD,
        "name": person.mailbox(),
    }));
    let (mut user, _) = User::sign_up(moment, &draft, hash.to_owned());
    user.email_verified = true;
    user.verification = None;
    user.expires_at = None;
    user.roles = person.roles().to_vec();
    user.tier = person.tier();
    let address: AddressDraft = made(json!({
        "addressId": person.address_id(), "buildingNumber": 44, "streetName": "Main Street",
        "city": "Springfield", "country": "US",
    }));
    let address = Address::new(moment, UserId::from(person.id()), &address);
    [item(&user), item(&user.email_claim()), item(&address)]
}

fn product_items(index: usize, moment: &Moment) -> Vec<(String, Value)> {
    let (name, cents, discount, stock) = PRODUCTS[index];
    let draft: ProductDraft = made(json!({
        "productId": product_id(index), "name": name, "description": "From the beginning.",
        "price": { "amount": cents, "currency": "EUR" }, "discount": discount, "stock": stock,
    }));
    let product = Product::new(moment, UserId::from(Person::Merchant.id()), &draft);
    let claim = item(&product.name_claim());
    if STOCK_PARTS[index] == 0 {
        return vec![item(&product), claim];
    }
    let StockedProduct { product, parts } = StockedProduct::split(product, STOCK_PARTS[index]);
    parts.iter().map(item).chain([item(&product), claim]).collect()
}

fn article(index: usize, moment: &Moment) -> (String, Value) {
    let draft: ArticleDraft =
        made(json!({ "articleId": article_id(index), "title": TITLE, "content": CONTENT }));
    item(&Article::new(moment, UserId::from(Person::Writer(0).id()), &draft))
}

fn rules() -> (String, Value) {
    let rules = BusinessRules { version: 1, ..BusinessRules::default() };
    let (table, mut item) = item(&rules);
    item["sagaTimeoutSeconds"] = json!({ "N": SAGA_TIMEOUT_S.to_string() });
    (table, item)
}

/// The hash of [`PASSWORD`], at the cost of a simulation's hashes.
fn password_hash() -> String {
    let params = Params::new(8, 1, 1, None).expect("these are the least parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"sixteen bytes, 1");
    hash.expect("the password and the salt are short").to_string()
}

/// The logical id of the table of a record, and its item in `DynamoDB`'s JSON.
pub(crate) fn item<R: Record>(record: &R) -> (String, Value) {
    let item = serde_json::to_value(item_of(record)).expect("an item has a JSON form");
    let words = R::TABLE.name().split('_');
    let words = words.map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..]));
    (format!("{}Table", words.collect::<String>()), item)
}

/// A value of the store from its JSON.
pub(crate) fn made<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the first data are valid")
}

/// The time of the first data, and bytes that are not random.
struct Fixed(AtomicU8);

impl Surroundings for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(OPENED_AT)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(41, Ordering::Relaxed);
        }
    }
}

fn in_fixed_surroundings<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime without I/O starts");
    let surroundings = Arc::new(Fixed(AtomicU8::new(7)));
    runtime.block_on(within(surroundings, future))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn the_first_data_have_all_people_and_products_and_end_with_the_rules() {
        let of = |table: &str| ITEMS.iter().filter(|(it, _)| it == table).count();
        assert_eq!(of("UsersTable"), 2 * Person::all().count());
        let parts: usize = STOCK_PARTS.into_iter().map(usize::from).sum();
        assert_eq!(of("ProductsTable"), 2 * PRODUCTS.len() + parts);
        assert_eq!(of("ArticlesTable"), ARTICLES);
        let (table, rules) = ITEMS.last().unwrap();
        assert_eq!(table, "SettingsTable");
        assert_eq!(rules["sagaTimeoutSeconds"]["N"], SAGA_TIMEOUT_S.to_string());
    }

    #[test]
    fn the_keys_are_two_different_pairs() {
        let [(_, signing), (_, verification)] = key_secrets();
        let signing: Value = serde_json::from_str(signing).unwrap();
        let verification: Value = serde_json::from_str(verification).unwrap();
        assert!(signing["privateKey"].is_string() && signing["next"]["privateKey"].is_string());
        assert_ne!(signing["kid"], signing["next"]["kid"]);
        let published = verification["keys"].as_array().unwrap();
        let kids: Vec<&Value> = published.iter().map(|key| &key["kid"]).collect();
        assert_eq!(kids, [&signing["kid"], &signing["next"]["kid"]]);
    }
}
