//! The data that a platform begins with: keys to sign tokens by, and on request the people and
//! products of the demo, which the README and `infra/docs/TOUR.md` use.

use aws::Passwords;
use aws::tokens::KeyRing;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::catalogue::{Product, ProductDraft};
use domain::people::{Address, AddressDraft, Role, Tier, User, UserDraft, UserId};
use emulator::services::{StoreError, Stores};
use emulator::{Account, SignIn};
use lifecycle::record::{Record, TableName, item_of};
use lifecycle::{Moment, clock};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

/// The reason why the initial data could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The keys could not be generated.
    #[error("no keys could be generated: {0}")]
    Keys(lifecycle::error::BoxError),
    /// The password of the demo could not be hashed.
    #[error("the demo's password could not be hashed: {0}")]
    Password(#[from] lifecycle::ServiceError),
    /// A store rejected the write.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The password of every user in the demo.
pub const PASSWORD: &str = "correct-horse-battery";

/// An external issuer for checks. Its keys cannot be fetched.
pub const SILENT_ISSUER: &str = "https://silent.example.com";

/// Template parameters that set both rate limits out of reach: all requests of a test come from one
/// source.
pub fn limits_out_of_reach() -> [(String, String); 2] {
    ["RateLimit", "ExactRateLimit"].map(|name| (name.to_owned(), "1000000".to_owned()))
}

/// The template's parameter, and its value, that makes an API trust [`SILENT_ISSUER`]. The key URL
/// is the discard port of this machine.
pub fn trust_in_silent_issuer() -> (String, String) {
    let issuer = json!({
        "issuer": SILENT_ISSUER, "jwksUrl": "http://127.0.0.1:9/jwks.json", "audience": "silent",
        "rolesClaim": "roles",
    });
    ("OutsideIssuers".to_owned(), json!([issuer]).to_string())
}

/// An unsigned token that names this issuer.
pub fn token_in_the_name_of(issuer: &str) -> String {
    let part = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let header = part(json!({ "alg": "RS256", "kid": "1", "typ": "at+jwt" }));
    let claims = json!({
        "iss": issuer, "aud": "silent", "sub": "ada", "exp": 4_102_444_800_u64,
    });
    format!("{header}.{}.{}", part(claims), BASE64_URL_SAFE_NO_PAD.encode([0; 256]))
}

/// The users of the demo: mailbox, id, roles, tier. All are verified.
const PEOPLE: [(&str, u128, &[Role], Tier); 8] = [
    ("customer", 1, &[Role::Customer], Tier::Standard),
    ("gold", 2, &[Role::Customer], Tier::Gold),
    ("writer", 3, &[Role::Customer, Role::Writer], Tier::Standard),
    ("writer2", 4, &[Role::Customer, Role::Writer], Tier::Standard),
    ("editor", 5, &[Role::Customer, Role::Editor], Tier::Standard),
    ("editor2", 6, &[Role::Customer, Role::Editor], Tier::Standard),
    ("merchant", 7, &[Role::Customer, Role::Merchant], Tier::Standard),
    ("admin", 8, &[Role::Customer, Role::Admin], Tier::Standard),
];

/// The accounts of the demo, one line each: address, id, roles and tier.
pub fn accounts() -> impl Iterator<Item = String> {
    PEOPLE.into_iter().map(|(mailbox, id, roles, tier)| {
        let email = format!("{mailbox}@example.com");
        let roles = roles.iter().map(|role| format!("{role:?}")).collect::<Vec<_>>().join(", ");
        format!("{email:<20}  {}  {roles}; {tier:?}", demo_id(id))
    })
}

/// The seconds for which an access token is valid: `expiresIn` of the response to `POST /sessions`.
const TOKEN_VALID_S: u32 = 900;

/// The accounts of the demo, as which the console sends requests.
pub fn console_accounts() -> Vec<Account> {
    let accounts = PEOPLE.into_iter().map(|(mailbox, id, roles, tier)| {
        let credentials =
            json!({ "email": format!("{mailbox}@example.com"), "password": PASSWORD });
        let roles = roles.iter().map(|role| format!("{role:?}")).collect::<Vec<_>>().join(", ");
        let sign_in = SignIn::post("/sessions", credentials, "/data/accessToken", TOKEN_VALID_S);
        Account::new(mailbox, roles, sign_in).note(format!("{}, {tier:?}", demo_id(id)))
    });
    accounts.collect()
}

/// The products of the demo: name, id, price in cents, discount in percent, stock.
const PRODUCTS: [(&str, u128, u64, u8, u64); 3] = [
    ("Desk lamp", 0x101, 2_999, 10, 100),
    ("Oak table", 0x102, 24_900, 0, 10),
    ("Teapot", 0x103, 1_450, 5, 25),
];

/// The logical ids of the secrets with the keys that sign tokens, and that verify them.
pub const TOKEN_SECRETS: [&str; 2] = ["SigningKeysSecret", "VerificationKeysSecret"];

/// Writes new keys to the two token secrets, if the template has them.
///
/// # Errors
/// See [`SeedError`].
pub async fn keys(stores: &Stores) -> Result<KeyRing, SeedError> {
    let keys = KeyRing::generate().map_err(SeedError::Keys)?;
    let [signing, verification] = TOKEN_SECRETS;
    let values = [
        (signing, keys.signing_keys().to_string()),
        (verification, keys.verification_keys(None).to_string()),
    ];
    stores.fill_secrets(&values.into()).await?;
    Ok(keys)
}

/// Writes the demo's users, an address of the customer's and the products. Does nothing if the
/// table has users: kept tables stay unchanged.
///
/// # Errors
/// See [`SeedError`].
pub async fn demo(stores: &Stores) -> Result<(), SeedError> {
    if !stores.scan("UsersTable")?.0.is_empty() {
        return Ok(());
    }
    for (table, item) in demo_items().await? {
        stores.put_item(&table, &item)?;
    }
    Ok(())
}

/// The demo's users, an address of the customer's and the products: tables by logical id, items in
/// `DynamoDB`'s JSON.
///
/// # Errors
/// If the password cannot be hashed.
pub async fn demo_items() -> Result<Vec<(String, Value)>, SeedError> {
    let mut items = Vec::new();
    let now = clock::now();
    let moment = Moment::new(now, [0; 32]);
    let password_hash = Passwords::new().hash(PASSWORD).await?;
    for (mailbox, id, roles, tier) in PEOPLE {
        let draft: UserDraft = made(json!({
            "userId": demo_id(id),
            "email": format!("{mailbox}@example.com"),
            "password": PASSWORD,
            "name": mailbox,
        }));
        let (mut user, _) = User::sign_up(&moment, &draft, password_hash.clone());
        user.email_verified = true;
        user.verification = None;
        user.expires_at = None;
        user.roles = roles.to_vec();
        user.tier = tier;
        items.extend([item(&user), item(&user.email_claim())]);
    }
    let address: AddressDraft = made(json!({
        "addressId": demo_id(0x201), "buildingNumber": 44, "streetName": "Main Street",
        "city": "Springfield", "country": "US",
    }));
    items.push(item(&Address::new(&moment, UserId::from(demo_id(1)), &address)));
    for (name, id, cents, discount, stock) in PRODUCTS {
        let draft: ProductDraft = made(json!({
            "productId": demo_id(id), "name": name, "description": "From the demo.",
            "price": { "amount": cents, "currency": "EUR" }, "discount": discount, "stock": stock,
        }));
        let product = Product::new(&moment, UserId::from(demo_id(7)), &draft);
        items.extend([item(&product), item(&product.name_claim())]);
    }
    Ok(items)
}

/// An id that is easy to type: `00000000-0000-7000-8000-000000000001`.
pub fn demo_id(number: u128) -> Uuid {
    Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000 | number)
}

fn item<R: Record>(record: &R) -> (String, Value) {
    let item = serde_json::to_value(item_of(record)).expect("an item has a JSON form");
    (logical_id(R::TABLE), item)
}

/// The logical id of a table in the template: `UsersTable` for `users`.
fn logical_id(table: TableName) -> String {
    let (first, rest) = table.name().split_at(1);
    format!("{}{rest}Table", first.to_uppercase())
}

fn made<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the demo's users and products are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_is_a_line_with_its_address_id_roles_and_tier() {
        let lines: Vec<_> = accounts().collect();
        assert_eq!(
            lines[2],
            "writer@example.com    00000000-0000-7000-8000-000000000003  CUSTOMER, WRITER; STANDARD"
        );
        assert_eq!(lines.len(), PEOPLE.len());
    }

    #[test]
    fn the_console_has_an_account_for_each_user_of_the_demo() {
        let accounts = console_accounts();
        let writer = &accounts[2];
        assert_eq!((&*writer.name, &*writer.role), ("writer", "CUSTOMER, WRITER"));
        assert_eq!(writer.note, "00000000-0000-7000-8000-000000000003, STANDARD");
        assert_eq!(accounts.len(), PEOPLE.len());
        assert!(!format!("{accounts:?}").contains(PASSWORD));
    }

    #[test]
    fn demo_ids_are_easy_to_type() {
        assert_eq!(demo_id(0x101).to_string(), "00000000-0000-7000-8000-000000000101");
        assert_eq!(demo_id(1).get_version_num(), 7);
    }
}
