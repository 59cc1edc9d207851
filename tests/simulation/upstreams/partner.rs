//! The partner: tokens for client credentials, and a catalogue that requires one.

use std::collections::BTreeMap;

use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use simulation::Millis;
use simulation::random::{Chance, Random};
use simulation::world::Upstream;

use super::answers::in_json;

/// The lifetime of a token.
const LIFETIME_S: u64 = 300;
/// The number of products.
const CATALOGUE: usize = 45;
/// The secret of the client `store`.
const CLIENT_SECRET: &str = "S3CR3T-partner-client";
/// The pages from this number on are refused, by the same answer at each time.
pub const UNLISTED_FROM: u64 = 1_000;
/// How often it answers with an error of the domain.
const REFUSAL: Chance = Chance::percent(5);
/// Codes of such errors.
const CODES: [&str; 4] = ["U01", "P03", "P08", "S02"];

/// The partner.
#[derive(Debug, Clone, Default)]
pub struct Partner {
    /// The end of each token.
    tokens: BTreeMap<String, Millis>,
}

/// The content of the secret with the credentials.
pub fn partner_credentials() -> String {
    json!({ "clientId": "store", "clientSecret": CLIENT_SECRET }).to_string()
}

impl Upstream for Partner {
    fn answer(
        &mut self,
        request: &Request<Vec<u8>>,
        now: Millis,
        random: &mut dyn Random,
    ) -> Response<Vec<u8>> {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/oauth/token") => self.token(request, now, random),
            (&Method::GET, "/v2/product-list") => self.list(request, now, random),
            _ => in_json(StatusCode::NOT_FOUND, &json!({ "message": "no such address" })),
        }
    }
}

impl Partner {
    fn token(
        &mut self,
        request: &Request<Vec<u8>>,
        now: Millis,
        random: &mut dyn Random,
    ) -> Response<Vec<u8>> {
        let form = String::from_utf8_lossy(request.body());
        let has =
            |name: &str, value: &str| form.split('&').any(|it| it == format!("{name}={value}"));
        let known = has("grant_type", "client_credentials")
            && has("client_id", "store")
            && has("client_secret", CLIENT_SECRET);
        if !known {
            return in_json(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_client" }));
        }
        let token = format!("S3CR3T-token-{:016x}", random.bits());
        self.tokens.retain(|_, end| now < *end);
        self.tokens.insert(token.clone(), now + Millis::seconds(LIFETIME_S));
        let body = json!({
            "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME_S,
        });
        in_json(StatusCode::OK, &body)
    }

    fn list(
        &mut self,
        request: &Request<Vec<u8>>,
        now: Millis,
        random: &mut dyn Random,
    ) -> Response<Vec<u8>> {
        let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if self.tokens.get(token).is_none_or(|end| now >= *end) {
            return in_json(StatusCode::UNAUTHORIZED, &json!({ "message": "no valid token" }));
        }
        if random.happens(REFUSAL) {
            let code = CODES[random.index(CODES.len())];
            return in_json(StatusCode::BAD_REQUEST, &json!({ "code": code, "message": "No." }));
        }
        let number = |name: &str| {
            let query = request.uri().query().unwrap_or_default();
            let found =
                query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.and_then(|text| text.parse::<usize>().ok())
        };
        let (page, size) = (number("page").unwrap_or(1), number("page_size").unwrap_or(20));
        if u64::try_from(page).is_ok_and(|page| page >= UNLISTED_FROM) {
            return in_json(StatusCode::NOT_FOUND, &json!({ "message": "no such page" }));
        }
        let shown = (1..=CATALOGUE).skip(page.max(1).saturating_sub(1).saturating_mul(size));
        let shown: Vec<Value> = shown.take(size).map(product).collect();
        in_json(StatusCode::OK, &json!({ "page": page, "products": shown }))
    }
}

fn product(number: usize) -> Value {
    json!({
        "sku": format!("SKU-{number:03}"),
        "name": format!("Product {number}"),
        "category": "tea",
        "price": { "amount": 100 * number, "currency": "EUR" },
        "available": !number.is_multiple_of(10),
    })
}

#[cfg(test)]
mod tests {
    use simulation::random::Seeded;

    use super::*;

    #[test]
    fn a_token_opens_the_catalogue_until_it_expires() {
        let (mut partner, random) = (Partner::default(), &mut Seeded::new(3));
        let form =
            format!("grant_type=client_credentials&client_id=store&client_secret={CLIENT_SECRET}");
        let request = Request::post("/oauth/token").body(form.into_bytes()).unwrap();
        let answer = partner.answer(&request, Millis(0), random);
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        let token = body["access_token"].as_str().unwrap();
        let request = Request::get("/v2/product-list?page=2&page_size=10")
            .header("authorization", format!("Bearer {token}"))
            .body(Vec::new())
            .unwrap();

        let early = partner.answer(&request, Millis::seconds(1), random);
        let late = partner.answer(&request, Millis::seconds(LIFETIME_S), random);

        assert_ne!(early.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(late.status(), StatusCode::UNAUTHORIZED);
    }
}
