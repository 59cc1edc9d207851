//! Attackers: they guess, forge, replay, peek and send odd input.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use simulation::Millis;
use simulation::random::{Random, Seeded};
use simulation::world::{ApiRequest, Client, Planned, Workload};

use super::caller::{Caller, persist};
use super::day::day;
use super::odd::{ODD, odd};
use crate::opening::{article_id, open, product_id};
use crate::people::{CUSTOMERS, Person};

/// So many attempts.
#[derive(Debug, Clone, Copy)]
pub struct Attackers {
    /// The attempts.
    pub attempts: usize,
}

/// One attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Guesses the password of a person.
    Guess(Person),
    /// Signs up with the address of a person.
    TakeAddress(Person),
    /// Uses a token that the store has not issued.
    Forge(Forgery),
    /// Uses a token after its end.
    LateToken,
    /// Uses the key of another customer's order.
    ReplayKey(usize),
    /// Reads and changes the things of others.
    Peek(Person),
    /// Sends an odd request, with or without a token.
    Odd(usize, bool),
}

/// A way to forge a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// No signature, and the algorithm `none`.
    Unsigned,
    /// Other claims with the signature of a valid token.
    OtherClaims,
    /// A key that the store has not published.
    UnknownKey,
    /// No token at all.
    Garbage,
}

const FORGERIES: [Forgery; 4] =
    [Forgery::Unsigned, Forgery::OtherClaims, Forgery::UnknownKey, Forgery::Garbage];

/// The wrong passwords of one attempt at guessing.
const GUESSES: usize = 8;
/// Longer than a token is valid, with the leeway.
const TOO_LONG: Millis = Millis::seconds(900 + 60 + 5);

impl Workload for Attackers {
    type Operation = Attempt;

    fn plan(&self, random: &mut Seeded) -> Vec<Planned<Attempt>> {
        let attempts: Vec<Attempt> = (0..self.attempts).map(|_| attempt(random)).collect();
        let within = day(self.attempts, random);
        attempts.into_iter().map(|attempt| Planned::within(within, random, attempt)).collect()
    }

    async fn perform(&self, client: Client, attempt: &Attempt) {
        open(&client).await;
        // An attack without an answer has failed.
        let _ = attack(&client, *attempt).await;
    }
}

fn attempt(random: &mut Seeded) -> Attempt {
    let victim = Person::Customer(random.index(CUSTOMERS));
    match random.below(8) {
        0 => Attempt::Guess(victim),
        1 => Attempt::TakeAddress(victim),
        2 | 3 => Attempt::Forge(FORGERIES[random.index(FORGERIES.len())]),
        4 => Attempt::LateToken,
        5 => Attempt::ReplayKey(random.index(20)),
        6 => Attempt::Peek(victim),
        _ => Attempt::Odd(random.index(ODD), random.below(2) == 0),
    }
}

/// The attacker has an account of a customer.
const ATTACKER: Person = Person::Customer(0);

async fn attack(client: &Client, attempt: Attempt) -> Option<()> {
    let mut attacker = Caller::of(client, ATTACKER);
    match attempt {
        Attempt::Guess(victim) => {
            for guess in 0..GUESSES {
                let password = format!("guess number {guess:04}");
                let credentials = json!({ "email": victim.email(), "password": password });
                // Not repeated: an attacker is impatient.
                let _ = client.send(ApiRequest::post("/sessions", &credentials)).await;
            }
        }
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
    }
    requests.extend(private_requests());
    requests
}

fn forged(forgery: Forgery) -> String {
    let part = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let claims = json!({
        "iss": "https://auth.example.com", "aud": "serverless-api", "sub": Person::Admin.id(),
        "exp": 4_102_444_800_u64, "roles": ["ADMIN"], "tier": "GOLD", "emailVerified": true,
    });
    let (header, signature) = match forgery {
        Forgery::Unsigned => (json!({ "alg": "none", "typ": "at+jwt" }), String::new()),
        Forgery::UnknownKey => (
            json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "unknown" }),
            BASE64_URL_SAFE_NO_PAD.encode([1; 64]),
        ),
        Forgery::OtherClaims | Forgery::Garbage => return "not.a.token".to_owned(),
    };
    format!("{}.{}.{signature}", part(header), part(claims))
}

/// A valid token's header and signature around the claims of an administrator.
fn with_other_claims(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    let mut claims: Value = serde_json::from_slice(&claims).ok()?;
    claims["roles"] = json!(["ADMIN"]);
    claims["sub"] = json!(Person::Admin.id());
    Some(format!("{header}.{}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string())))
}
