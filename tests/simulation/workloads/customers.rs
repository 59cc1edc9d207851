//! Customers: they sign up, prove their address, order, repeat, cancel and read.

use serde_json::{Value, json};
use simulation::Millis;
use simulation::random::{Chance, Random, Seeded};
use simulation::world::{ApiAnswer, ApiRequest, Client, Planned, Workload};

use super::caller::{Caller, data, key_of, persist};
use super::day::day;
use crate::opening::{PRODUCTS, open, product_id};
use crate::people::{CUSTOMERS, Person};

/// Customers who place so many orders.
#[derive(Debug, Clone, Copy)]
pub struct Customers {
    /// The orders.
    pub orders: usize,
}

/// One visit of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visit {
    /// One of the first customers orders.
    Order {
        /// The customer.
        who: Person,
        /// The products, by their indexes, and the pieces of each.
        lines: Vec<(usize, u64)>,
        /// The next step.
        then: Then,
    },
    /// A new customer signs up, proves the address and orders a lamp.
    SignUp {
        /// Whether the password is reset first.
        forgets_password: bool,
    },
}

/// The next step of a customer after an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Leave,
    /// Cancels it when it is decided on, twice at the same time.
    Cancel,
    /// Sends the same request again, with its members in another order.
    Repeat,
    /// Sends another order with the same key.
    ReuseKey,
    /// Reads it, and all own orders.
    Read,
}

const THEN: [Then; 8] = [
    Then::Leave,
    Then::Cancel,
    Then::Cancel,
    Then::Cancel,
    Then::Repeat,
    Then::Repeat,
    Then::ReuseKey,
    Then::Read,
];

/// The times that a customer looks for a mail or for a decision, and the time between.
const LOOKS: usize = 20;
const LOOK: Millis = Millis::seconds(15);

/// The share of people who ask for several mails at a time, and the number of their requests.
const IMPATIENT: Chance = Chance::percent(40);
const IMPATIENT_ASKS: usize = 3;

impl Workload for Customers {
    type Operation = Visit;

    fn plan(&self, random: &mut Seeded) -> Vec<Planned<Visit>> {
        let orders = (0..self.orders).map(|_| order(random)).collect::<Vec<Visit>>();
        let sign_ups = (0..=self.orders / 10)
            .map(|_| Visit::SignUp { forgets_password: random.below(3) == 0 })
            .collect::<Vec<Visit>>();
        let all = orders.into_iter().chain(sign_ups);
        let within = day(self.orders, random);
        all.map(|visit| Planned::within(within, random, visit)).collect()
    }

    async fn perform(&self, client: Client, visit: &Visit) {
        open(&client).await;
        // A customer who gets no answer gives up: the oracles check the work until then.
        let _ = match visit {
            Visit::Order { who, lines, then } => {
                let body = draft(lines, &who.address_id().to_string());
                let customer = Caller::of(&client, *who);
                place(&client, &customer, &body, *then, &who.id().to_string()).await
            }
            Visit::SignUp { forgets_password } => sign_up(&client, *forgets_password).await,
        };
    }
}

fn order(random: &mut Seeded) -> Visit {
    let who = match random.index(CUSTOMERS + 2) {
        index if index < CUSTOMERS => Person::Customer(index),
        index if index == CUSTOMERS => Person::Gold,
        _ => Person::Bouncing,
    };
    let mut products: Vec<usize> = (0..PRODUCTS.len()).collect();
    let lines = (0..=random.below(2)).map(|_| {
        let index = random.index(products.len());
        (products.swap_remove(index), 1 + random.below(2))
    });
    let lines = lines.collect();
    Visit::Order { who, lines, then: THEN[random.index(THEN.len())] }
}

fn draft(lines: &[(usize, u64)], address_id: &str) -> Value {
    let lines = lines.iter().map(
        |(product, quantity)| json!({ "productId": product_id(*product), "quantity": quantity }),
    );
    let items: Vec<Value> = lines.collect();
    json!({ "items": items, "addressId": address_id, "paymentMethod": "CARD" })
}

/// Places an order, and takes the next step. `None` if an answer is missing.
async fn place(
    client: &Client,
    customer: &Caller<'_>,
    body: &Value,
    then: Then,
    user_id: &str,
) -> Option<ApiAnswer> {
    let placed = customer.create("/orders", body).await?;
    let order_id = data(&placed, "orderId");
    client.think(Millis::seconds(60)).await;
    match (then, order_id) {
        (Then::Repeat, _) => customer.send(repeated(client, body)).await,
        (Then::ReuseKey, _) => {
            let mut other = body.clone();
            other["paymentMethod"] = json!("CASH");
            customer.send(repeated(client, &other)).await
        }
        (Then::Cancel, Some(order_id)) => cancel(client, customer, &order_id).await,
        (Then::Read, Some(order_id)) => {
            customer.send(ApiRequest::get(format!("/orders/{order_id}"))).await?;
            customer.send(ApiRequest::get(format!("/orders/user/{user_id}?limit=5"))).await
        }
        _ => Some(placed),
    }
}

/// The request with the operation's key again. Its text begins with a blank and another member.
fn repeated(client: &Client, body: &Value) -> ApiRequest {
    let Value::Object(members) = body else { return ApiRequest::post("/orders", body) };
    let member = |(name, value): (&String, &Value)| format!("{}: {value}", json!(name));
    let members: Vec<String> = members.iter().rev().map(member).collect();
    ApiRequest::post("/orders", body)
        .bytes(format!(" {{{}}}", members.join(", ")))
        .header("idempotency-key", key_of(client, "/orders"))
}

async fn cancel(client: &Client, customer: &Caller<'_>, order_id: &str) -> Option<ApiAnswer> {
    let path = format!("/orders/{order_id}");
    for _ in 0..LOOKS {
        let seen = customer.send(ApiRequest::get(&path)).await?;
        if data(&seen, "status").as_deref() != Some("PENDING") {
            break;
        }
        client.think(LOOK).await;
    }
    let cancel = ApiRequest::new("DELETE", &path);
    // To others the order is hidden.
    Caller::of(client, Person::Writer(0)).send(cancel.clone()).await;
    let cancel = cancel.bearer(&customer.token().await?);
    let (first, second) = futures::join!(persist(client, &cancel), persist(client, &cancel));
    first.and(second)
}

async fn sign_up(client: &Client, forgets_password: bool) -> Option<ApiAnswer> {
    let number = client.operation();
    let email = format!("Guest{number}@example.com");
    let password = format!("S3CR3T-of-guest-{number}");
    let account = json!({ "email": email, "password": password, "name": "Marker Guest" });
    let request = ApiRequest::post("/users", &account);
    let request = request.header("idempotency-key", key_of(client, "/users"));
    let user_id = data(&persist(client, &request).await?, "userId")?;
    let mut customer = Caller::new(client, email.clone(), password.clone());
    if forgets_password {
        let chosen = format!("S3CR3T-another-of-{number}");
        set_password(client, &email, &user_id, &chosen).await?;
        customer = Caller::new(client, email, chosen);
    } else {
        prove(client, &email, &user_id, &password).await?;
    }
    let address = json!({
        "buildingNumber": 7, "streetName": "Side Street", "city": "Springfield", "country": "US",
    });
    let address_id = data(&customer.create("/addresses", &address).await?, "addressId")?;
    let body = draft(&[(0, 1)], &address_id);
    place(client, &customer, &body, Then::Read, &user_id).await
}

async fn prove(client: &Client, email: &str, user_id: &str, password: &str) -> Option<ApiAnswer> {
    let ask = ApiRequest::post("/verification-emails", &json!({ "email": email }));
    ask_impatiently(client, &ask).await;
    let token = token_by_mail(client, email, "Verify", &ask).await?;
    let path = format!("/users/{user_id}/verification");
    let proof = json!({ "token": token, "password": password });
    persist(client, &ApiRequest::new("PUT", path).json(&proof)).await
}

async fn set_password(
    client: &Client,
    email: &str,
    user_id: &str,
    password: &str,
) -> Option<ApiAnswer> {
    let ask = ApiRequest::post("/password-resets", &json!({ "email": email }));
    persist(client, &ask).await?;
    ask_impatiently(client, &ask).await;
    let token = token_by_mail(client, email, "Set a new", &ask).await?;
    let path = format!("/users/{user_id}/password");
    let change = |password: &str| {
        let change = json!({ "token": token, "password": password });
        ApiRequest::new("PUT", &path).json(&change)
    };
    let changed = persist(client, &change(password)).await?;
    if changed.is_success() {
        // The token is for one use.
        persist(client, &change(&format!("{password}-again"))).await?;
    }
    Some(changed)
}

/// Asks for more mails at the same time, if the person is impatient.
async fn ask_impatiently(client: &Client, ask: &ApiRequest) {
    if client.draw(|random| random.happens(IMPATIENT)) {
        let asks = (0..IMPATIENT_ASKS).map(|_| persist(client, ask));
        futures::future::join_all(asks).await;
    }
}

/// The token of the newest mail with such a subject. Asks for another mail if none comes.
pub(super) async fn token_by_mail(
    client: &Client,
    email: &str,
    subject: &str,
    ask: &ApiRequest,
) -> Option<String> {
    for look in 1..=LOOKS {
        client.think(LOOK).await;
        let mails = client.mails_to(email);
        let mail = mails.iter().rev().find(|mail| mail.subject.starts_with(subject));
        if let Some(text) = mail.and_then(|mail| mail.text.as_deref()) {
            let token = text.split("\"token\": \"").nth(1)?;
            return token.split('"').next().map(str::to_owned);
        }
        if look % 8 == 0 {
            persist(client, ask).await?;
        }
    }
    None
}
