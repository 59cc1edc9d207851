//! Attackers: they guess, forge, replay, peek and send odd input.

use serde_json::json;
use simulation::Millis;
use simulation::random::{Chance, Random, Seeded};
use simulation::world::{ApiAnswer, ApiRequest, Client, Planned, Workload};

use super::caller::{Caller, data, persist};
use super::customers::token_by_mail;
use super::day::day;
use super::forgeries::{FORGERIES, Forgery, forged, with_other_claims};
use super::odd::{ODD, odd};
use crate::opening::{article_id, open, product_id};
use crate::people::{CUSTOMERS, PASSWORD, Person};

/// So many attempts.
#[derive(Debug, Clone, Copy)]
pub struct Attackers {
    /// The attempts.
    pub attempts: usize,
}

/// One attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Guesses the password of a person, also while the table of limits is overloaded: failed
    /// writes count too, so an attacker can cause it.
    Guess(Person, bool),
    /// Guesses the password of the administrator from many addresses, until the administrator signs
    /// in from a known address.
    LockOut,
    /// Signs up with the address of a person.
    TakeAddress(Person),
    /// Signs up with the address of a person, guesses the token of the mail, and waits until the person
    /// proves the address with another password.
    Hijack,
    /// Uses a token that the store has not issued.
    Forge(Forgery),
    /// Uses a token after its end.
    LateToken,
    /// Uses the key of another customer's order.
    ReplayKey(usize),
    /// Uses the keys of sign-ups before their users do.
    TakeKeys,
    /// Reads and changes the things of others.
    Peek(Person),
    /// Sends an odd request, with or without a token.
    Odd(usize, bool),
}

/// The wrong passwords of one attempt at guessing: more than two minutes' worth.
const GUESSES: usize = 20;
/// How long the table of limits is overloaded.
const OVERLOADED: Millis = Millis::seconds(60);
/// The addresses from which an attacker locks a user out, and the guesses from each: more than the
/// common limit of an hour.
const SOURCES: usize = 24;
const GUESSES_OF_SOURCE: usize = 5;
/// The share of worlds in which an attacker may do so: it is as much work as ten orders.
const LOCK_OUT: Chance = Chance::percent(30);
/// The length of a token in a mail.
const TOKEN_CHARS: usize = 43;
/// Longer than a token is valid, with the leeway.
const TOO_LONG: Millis = Millis::seconds(900 + 60 + 5);

impl Workload for Attackers {
    type Operation = Attempt;

    fn plan(&self, random: &mut Seeded) -> Vec<Planned<Attempt>> {
        let mut attempts: Vec<Attempt> = (0..self.attempts).map(|_| attempt(random)).collect();
        // The common limit is for an hour, and one lock-out uses it up.
        let mut may_lock_out = random.happens(LOCK_OUT);
        attempts.retain(|attempt| {
            *attempt != Attempt::LockOut || std::mem::replace(&mut may_lock_out, false)
        });
        let within = day(self.attempts, random);
        attempts.into_iter().map(|attempt| Planned::within(within, random, attempt)).collect()
    }

    async fn perform(&self, client: Client, attempt: &Attempt) {
        open(&client).await;
        // An attack without an answer has failed.
        let _ = match attempt {
            Attempt::LockOut => lock_out(&client).await,
            Attempt::Hijack => hijack(&client).await,
            Attempt::TakeKeys => take_keys(&client, self.attempts).await,
            attempt => attack(&client, *attempt).await,
        };
    }
}

fn attempt(random: &mut Seeded) -> Attempt {
    let victim = Person::Customer(random.index(CUSTOMERS));
    match random.below(13) {
        0 => Attempt::Guess(victim, random.below(2) == 0),
        1 => Attempt::TakeAddress(victim),
        2 | 3 => Attempt::Forge(FORGERIES[random.index(FORGERIES.len())]),
        4 | 5 => Attempt::LateToken,
        6 => Attempt::ReplayKey(random.index(20)),
        7 => Attempt::Peek(victim),
        8 => Attempt::LockOut,
        9 => Attempt::TakeKeys,
        10 => Attempt::Hijack,
        _ => Attempt::Odd(random.index(ODD), random.below(2) == 0),
    }
}

/// The attacker has an account of a customer.
const ATTACKER: Person = Person::Customer(0);

async fn attack(client: &Client, attempt: Attempt) -> Option<()> {
    let attacker = Caller::of(client, ATTACKER);
    match attempt {
        Attempt::Guess(victim, is_overloaded) => {
            if is_overloaded {
                client.overload("LimitsTable", OVERLOADED);
            }
            for number in 0..GUESSES {
                // Not repeated: an attacker is impatient.
                let _ = client.send(guess(victim, number)).await;
            }
        }
        Attempt::LockOut | Attempt::Hijack | Attempt::TakeKeys => {}
        Attempt::TakeAddress(victim) => {
            let account = json!({
                "email": victim.email().to_uppercase(), "password": "S3CR3T-of-the-thief",
                "name": "Marker Thief",
            });
            persist(client, &ApiRequest::post("/users", &account)).await?;
            let credentials = json!({ "email": victim.email(), "password": "S3CR3T-of-the-thief" });
            persist(client, &ApiRequest::post("/sessions", &credentials)).await?;
        }
        Attempt::Forge(forgery) => {
            let token = match forgery {
                Forgery::OtherClaims => with_other_claims(&attacker.sign_in().await?)?,
                other => forged(other),
            };
            for request in private_requests() {
                persist(client, &request.bearer(&token)).await;
            }
        }
        Attempt::LateToken => {
            let token = attacker.sign_in().await?;
            client.wait(TOO_LONG).await;
            let path = format!("/users/{}", ATTACKER.id());
            persist(client, &ApiRequest::get(path).bearer(&token)).await?;
        }
        Attempt::ReplayKey(operation) => {
            let body = json!({
                "items": [{ "productId": product_id(0), "quantity": 1 }],
                "addressId": ATTACKER.address_id(), "paymentMethod": "CARD",
            });
            let key = format!("orders-{operation}");
            attacker
                .send(ApiRequest::post("/orders", &body).header("idempotency-key", key))
                .await?;
        }
        Attempt::Peek(victim) => {
            for request in requests_about(victim) {
                attacker.send(request).await;
            }
        }
        Attempt::Odd(index, true) => drop(attacker.send(odd(index)).await?),
        Attempt::Odd(index, false) => drop(persist(client, &odd(index)).await?),
    }
    Some(())
}

fn guess(victim: Person, number: usize) -> ApiRequest {
    let password = format!("guess number {number:04}");
    let credentials = json!({ "email": victim.email(), "password": password });
    ApiRequest::post("/sessions", &credentials)
}

/// The administrator's address must be known before the attack. Of two sign-ins at the same time, both
/// from new addresses, one address may stay unknown; the second sign-in stores it then.
async fn lock_out(client: &Client) -> Option<()> {
    let credentials = json!({ "email": Person::Admin.email(), "password": PASSWORD });
    let home = format!("203.0.113.{}", client.operation() % 250 + 1);
    let at_home = ApiRequest::post("/sessions", &credentials).at_address(&home);
    for _ in 0..2 {
        persist(client, &at_home).await.filter(ApiAnswer::is_success)?;
        client.wait(Millis::seconds(5)).await;
    }
    for number in 0..SOURCES * GUESSES_OF_SOURCE {
        let address = format!("192.0.2.{}", number % SOURCES + 1);
        let _ = client.send(guess(Person::Admin, number).at_address(&address)).await;
    }
    let answer = client.send(at_home).await.ok()?;
    client.note("signed in at home", json!({ "status": answer.status }));
    Some(())
}

/// The owner of the address gets the mail, and sends its token with another password.
async fn hijack(client: &Client) -> Option<()> {
    let email = format!("owner{}@example.com", client.operation());
    let password = "S3CR3T-of-the-thief";
    let account = json!({ "email": email, "password": password, "name": "Marker Thief" });
    let answer = persist(client, &ApiRequest::post("/users", &account)).await?;
    let path = format!("/users/{}/verification", data(&answer, "userId")?);
    let prove = |token: &str, password: &str| {
        let proof = json!({ "token": token, "password": password });
        ApiRequest::new("PUT", &path).json(&proof)
    };
    persist(client, &prove(&"A".repeat(TOKEN_CHARS), password)).await?;
    let ask = ApiRequest::post("/verification-emails", &json!({ "email": email }));
    let token = token_by_mail(client, &email, "Verify", &ask).await?;
    persist(client, &prove(&token, "S3CR3T-of-the-owner")).await?;
    let credentials = json!({ "email": email, "password": password });
    persist(client, &ApiRequest::post("/sessions", &credentials)).await.map(drop)
}

/// The operations of the first workload are all orders, and then the sign-ups: see their keys.
async fn take_keys(client: &Client, attempts: usize) -> Option<()> {
    for operation in 2 * attempts..=2 * attempts + attempts.div_ceil(5).min(6) {
        let account = json!({
            "email": format!("thief{}-{operation}@example.com", client.operation()),
            "password": "S3CR3T-of-the-thief", "name": "Marker Thief",
        });
        let request = ApiRequest::post("/users", &account);
        let _ = client.send(request.header("idempotency-key", format!("users-{operation}"))).await;
    }
    Some(())
}

/// Requests that only an administrator may send.
fn private_requests() -> [ApiRequest; 3] {
    let path = format!("/users/{}", Person::Admin.id());
    [ApiRequest::get("/orders"), ApiRequest::get("/rules"), ApiRequest::get(path)]
}

/// Requests that the attacker may not send.
fn requests_about(victim: Person) -> Vec<ApiRequest> {
    let article = article_id(0);
    let discount = json!({ "discount": 99 });
    let mut requests = vec![
        ApiRequest::get(format!("/orders/user/{}", victim.id())),
        ApiRequest::get(format!("/articles/{article}")),
        ApiRequest::new("PUT", format!("/articles/{article}/approvals/me")),
        ApiRequest::new("PATCH", format!("/products/{}", product_id(0))).json(&discount),
    ];
    if victim != ATTACKER {
        requests.push(ApiRequest::get(format!("/users/{}", victim.id())));
        let order = json!({
            "items": [{ "productId": product_id(0), "quantity": 1 }],
            "addressId": victim.address_id(), "paymentMethod": "CARD",
        });
        let key = format!("order-to-{}", victim.mailbox());
        requests.push(ApiRequest::post("/orders", &order).header("idempotency-key", key));
    }
    requests.extend(private_requests());
    requests
}
