//! The partner: tokens for client credentials, and a catalogue that requires one.
//!
//! An error response is `{"code": "P08", "message": …}`. The faults set these codes. Without
//! faults, a missing or expired token is a 401 without a code.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Query;
use bytes::Bytes;
use emulator::faults::{FakeResponse, UpstreamFault};
use emulator::standins::Service;
use http::header::AUTHORIZATION;
use http::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// The path of tokens.
const TOKENS: &str = "/oauth/token";
/// The path of the catalogue.
const PRODUCTS: &str = "/v2/product-list";
/// The lifetime of a token, unless the faults set another.
const TOKEN_LIFETIME_S: u32 = 300;
/// The maximum number of valid tokens; a further one replaces the one that expires first.
const TOKENS_MAX: usize = 1_000;
/// The number of products.
const CATALOGUE: usize = 45;
/// The categories of the products, in turns.
const CATEGORIES: [&str; 3] = ["tea", "tools", "toys"];

/// The faults of the partner.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct PartnerFaults {
    /// Those of the catalogue.
    products: UpstreamFault,
    /// Those of tokens.
    tokens: UpstreamFault,
    /// The lifetime of tokens, instead of five minutes.
    token_lifetime_s: Option<u32>,
}

/// The partner, with credentials for one client.
pub(super) struct Partner {
    client_secret: String,
    tokens: Mutex<HashMap<String, Instant>>,
}

impl Default for Partner {
    fn default() -> Self {
        let client_secret = Uuid::new_v4().simple().to_string();
        Self { client_secret, tokens: Mutex::default() }
    }
}

impl Service for Partner {
    const NAME: &'static str = "partner";
    const PARAMETERS: &'static [&'static str] = &["PartnerUrl"];
    const SHOWN_HEADERS: &'static [&'static str] = &["x-partner-id"];
    type Faults = PartnerFaults;

    fn secret(&self) -> Option<(&'static str, Value)> {
        let credentials = json!({ "clientId": "store", "clientSecret": self.client_secret });
        Some(("PartnerCredentialsSecret", credentials))
    }

    fn fault<'a>(faults: &'a PartnerFaults, path: &str) -> (&'static str, &'a UpstreamFault) {
        match path {
            TOKENS => ("partner/tokens", &faults.tokens),
            _ => ("partner/products", &faults.products),
        }
    }

    fn answer(&self, request: &Request<Bytes>, faults: &PartnerFaults) -> FakeResponse {
        let lifetime_s = faults.token_lifetime_s.unwrap_or(TOKEN_LIFETIME_S);
        match (request.method(), request.uri().path()) {
            (&Method::POST, TOKENS) => self.give_token(request, lifetime_s),
            (&Method::GET, PRODUCTS) => self.list(request),
            _ => FakeResponse::new(StatusCode::NOT_FOUND, json!({ "message": "no such address" })),
        }
    }
}

impl Partner {
    fn give_token(&self, request: &Request<Bytes>, lifetime_s: u32) -> FakeResponse {
        let form: BTreeMap<String, String> = fields(&String::from_utf8_lossy(request.body()));
        let given = |name: &str, value: &str| form.get(name).is_some_and(|given| given == value);
        let known = given("grant_type", "client_credentials")
            && given("client_id", "store")
            && given("client_secret", &self.client_secret);
        if !known {
            return FakeResponse::new(
                StatusCode::UNAUTHORIZED,
                json!({ "error": "invalid_client" }),
            );
        }
        let token = Uuid::new_v4().simple().to_string();
        self.remember(&token, Duration::from_secs(lifetime_s.into()));
        let body =
            json!({ "access_token": token, "token_type": "Bearer", "expires_in": lifetime_s });
        FakeResponse::new(StatusCode::OK, body)
    }

    /// Adds a token. Removes expired ones, and the next to expire if there are too many.
    fn remember(&self, token: &str, lifetime: Duration) {
        let now = Instant::now();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, end| now < *end);
        if tokens.len() >= TOKENS_MAX {
            let first = tokens.iter().min_by_key(|(_, end)| **end).map(|(token, _)| token.clone());
            first.and_then(|first| tokens.remove(&first));
        }
        tokens.insert(token.to_owned(), now + lifetime);
    }

    fn list(&self, request: &Request<Bytes>) -> FakeResponse {
        if !self.is_authorized(request) {
            return FakeResponse::new(
                StatusCode::UNAUTHORIZED,
                json!({ "message": "no valid token" }),
            );
        }
        let query = fields(request.uri().query().unwrap_or_default());
        let number = |name: &str| query.get(name).and_then(|text| text.parse().ok());
        let (page, size) = (number("page").unwrap_or(1), number("page_size").unwrap_or(20));
        let wanted = query.get("category");
        let products = (1..=CATALOGUE).map(product);
        let products = products.filter(|p| wanted.is_none_or(|wanted| p["category"] == **wanted));
        let shown: Vec<Value> = products.skip((page.max(1) - 1) * size).take(size).collect();
        FakeResponse::new(StatusCode::OK, json!({ "page": page, "products": shown }))
    }

    fn is_authorized(&self, request: &Request<Bytes>) -> bool {
        let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        token.and_then(|token| tokens.get(token)).is_some_and(|end| Instant::now() < *end)
    }
}

fn product(number: usize) -> Value {
    json!({
        "sku": format!("SKU-{number:03}"),
        "name": format!("Product {number}"),
        "category": CATEGORIES[number % CATEGORIES.len()],
        "price": { "amount": 100 * number, "currency": "EUR" },
        "available": !number.is_multiple_of(10),
    })
}

/// The fields of a form or of a query string, decoded.
fn fields(encoded: &str) -> BTreeMap<String, String> {
    let uri = format!("/?{encoded}").parse();
    let read = uri.ok().and_then(|uri| Query::try_from_uri(&uri).ok());
    read.map(|Query(fields)| fields).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_token_opens_the_catalogue_until_it_expires() {
        let partner = Partner::default();
        let secret = partner.client_secret.clone();
        assert_eq!(token_by(&partner, "wrong", 300), None);
        let token = token_by(&partner, &secret, 300).unwrap();
        let ended = token_by(&partner, &secret, 0).unwrap();
        for (token, status) in [(token.as_str(), 200), (&ended, 401), ("another", 401)] {
            let listed = products(&partner, token, "page=1");
            assert_eq!(u16::from(listed.status), status, "{token}");
        }
        let page = products(&partner, &token, "page=2&page_size=10&category=tea").body;
        let skus: Vec<_> = page["products"].as_array().unwrap().iter().map(|p| &p["sku"]).collect();
        assert_eq!(skus, ["SKU-033", "SKU-036", "SKU-039", "SKU-042", "SKU-045"]);
    }

    #[test]
    fn expired_tokens_are_removed_and_at_most_1000_are_kept() {
        let partner = Partner::default();
        let secret = partner.client_secret.clone();
        let known = || partner.tokens.lock().unwrap().len();
        for _ in 0..10 {
            token_by(&partner, &secret, 0).unwrap();
        }
        assert_eq!(known(), 1, "only the last one, added after the others had expired");
        let first = token_by(&partner, &secret, 300).unwrap();
        let longer: Vec<_> =
            (0..TOKENS_MAX).map(|_| token_by(&partner, &secret, 301).unwrap()).collect();
        assert_eq!(known(), TOKENS_MAX);
        for (token, status) in [(&first, 401), (&longer[0], 200), (&longer[TOKENS_MAX - 1], 200)] {
            assert_eq!(u16::from(products(&partner, token, "page=1").status), status);
        }
    }

    fn token_by(partner: &Partner, secret: &str, lifetime_s: u32) -> Option<String> {
        let form = format!("grant_type=client_credentials&client_id=store&client_secret={secret}");
        let request = Request::post(TOKENS).body(form.into()).unwrap();
        let faults = PartnerFaults { token_lifetime_s: Some(lifetime_s), ..Default::default() };
        let answer = partner.answer(&request, &faults);
        answer.body["access_token"].as_str().map(str::to_owned)
    }

    fn products(partner: &Partner, token: &str, query: &str) -> FakeResponse {
        let request = Request::get(format!("{PRODUCTS}?{query}"));
        let request = request.header("authorization", format!("Bearer {token}"));
        partner.answer(&request.body(Bytes::new()).unwrap(), &PartnerFaults::default())
    }
}
