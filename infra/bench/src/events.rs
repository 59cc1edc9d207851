//! The functions' events, as API Gateway sends them (HTTP API, payload format 2.0).

use std::sync::atomic::{AtomicU64, Ordering};

use aws::tokens::{KeyPair, Signer};
use bytes::Bytes;
use domain::people::Role;
use lifecycle::{Claims, clock};
use serde_json::{Value, json};
use tooling::Error;
use uuid::Uuid;

use super::items::Items;

/// The issuer of the tokens.
pub(super) const ISSUER: &str = "https://auth.example.com";
/// The audience of the tokens.
pub(super) const AUDIENCE: &str = "bench";

/// Longer than a run.
const TOKEN_LIFETIME_S: u32 = 24 * 60 * 60;

/// Builds events that differ where a function would recognise a repetition.
pub(super) struct Events {
    product_id: String,
    address_id: String,
    user_id: String,
    claims: Claims,
    /// The claims that are signed: those of `claims` but for the end.
    signed: Claims,
    signer: Signer,
    number: AtomicU64,
}

impl Events {
    pub(super) fn new(items: &Items, keys: &KeyPair) -> Result<Self, Error> {
        let now = clock::now();
        let signed = items.user.claims();
        let signer = Signer::from_secret(&keys.signing.to_string(), ISSUER, AUDIENCE)?;
        let mut claims = signed.clone();
        let ends = now.plus_seconds(i64::from(TOKEN_LIFETIME_S));
        claims.insert("exp".to_owned(), ends.as_seconds().into());
        Ok(Self {
            product_id: items.product.product_id.to_string(),
            address_id: items.address.address_id.to_string(),
            user_id: items.user.user_id.to_string(),
            claims,
            signed,
            signer,
            number: AtomicU64::new(0),
        })
    }

    /// Gets the same product every time.
    pub(super) fn product(&self) -> Bytes {
        self.product_of(&self.product_id)
    }

    /// Gets a product that was not requested before.
    pub(super) fn another_product(&self) -> Bytes {
        self.product_of(&Uuid::now_v7().to_string())
    }

    fn product_of(&self, product_id: &str) -> Bytes {
        let mut event =
            self.request("GET", "/products/{productId}", &format!("/products/{product_id}"));
        event["pathParameters"] = json!({ "productId": product_id });
        bytes(&event)
    }

    /// Gets the caller's own account.
    pub(super) fn user(&self) -> Bytes {
        let path = format!("/users/{}", self.user_id);
        let mut event = self.request("GET", "/users/{userId}", &path);
        event["pathParameters"] = json!({ "userId": self.user_id });
        self.sign_in(&mut event);
        bytes(&event)
    }

    /// Gets a list, as a caller with all roles.
    pub(super) fn get(&self, route: &str, path: &str, query: &str) -> Bytes {
        let mut event = self.request("GET", route, path);
        event["rawQueryString"] = json!(query);
        self.sign_in(&mut event);
        event["requestContext"]["authorizer"]["lambda"]["roles"] = json!(Role::WORDS);
        bytes(&event)
    }

    /// Gets something of the caller's own, by a route with their id.
    pub(super) fn get_of_user(&self, route: &str) -> Bytes {
        let mut event = self.request("GET", route, &route.replace("{userId}", &self.user_id));
        event["pathParameters"] = json!({ "userId": self.user_id });
        self.sign_in(&mut event);
        bytes(&event)
    }

    /// Orders two pieces of one product, with a new idempotency key.
    pub(super) fn order(&self) -> Bytes {
        self.with_body("POST", "/orders", &self.order_body().to_string())
    }

    /// The body of an order: two pieces of one product.
    pub(super) fn order_body(&self) -> Value {
        json!({
            "items": [{ "productId": self.product_id, "quantity": 2 }],
            "addressId": self.address_id,
            "paymentMethod": "CARD",
        })
    }

    /// Sends a body with a new idempotency key, as a caller with all roles.
    pub(super) fn with_body(&self, method: &str, route: &str, body: &str) -> Bytes {
        let path = route.replace("{productId}", &self.product_id);
        let mut event = self.request(method, route, &path);
        self.sign_in(&mut event);
        event["requestContext"]["authorizer"]["lambda"]["roles"] = json!(Role::WORDS);
        event["pathParameters"] = json!({ "productId": self.product_id });
        event["body"] = json!(body);
        event["headers"]["content-type"] = json!("application/json");
        event["headers"]["idempotency-key"] = json!(Uuid::new_v4());
        bytes(&event)
    }

    /// The authorizer's event for such a request.
    pub(super) fn token(&self) -> Bytes {
        let mut event = self.request("GET", "/users/{userId}", &format!("/users/{}", self.user_id));
        event["type"] = json!("REQUEST");
        event["routeArn"] =
            json!("arn:aws:execute-api:eu-west-1:000000000000:bench/$default/GET/users");
        event["identitySource"] = json!([self.authorization()]);
        bytes(&event)
    }

    /// A new token, as a header's value. Each token of a second ends at another one, so that their
    /// signatures differ: the instructions of verifying one depend on its bits, by some percent.
    fn authorization(&self) -> String {
        let number = self.number.load(Ordering::Relaxed);
        let lifetime_s = TOKEN_LIFETIME_S + u32::try_from(number % 1_000).unwrap_or_default();
        format!("Bearer {}", self.signer.sign(&self.signed, clock::now(), lifetime_s))
    }

    fn sign_in(&self, event: &mut Value) {
        event["requestContext"]["authorizer"] = json!({ "lambda": self.claims });
        event["headers"]["authorization"] = json!(self.authorization());
    }

    fn request(&self, method: &str, route: &str, path: &str) -> Value {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let domain = "bench.execute-api.eu-west-1.amazonaws.com";
        let seconds = clock::now().as_seconds();
        let route_key = format!("{method} {route}");
        json!({
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": path,
            "rawQueryString": "",
            "headers": {
                "accept": "application/json",
                "accept-encoding": "gzip, deflate, br",
                "content-length": "0",
                "host": domain,
                "user-agent": "bench/1.0",
                "x-amzn-trace-id": format!("Root=1-{seconds:08x}-{number:024x}"),
                "x-forwarded-for": "192.0.2.1",
                "x-forwarded-port": "443",
                "x-forwarded-proto": "https",
            },
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "bench",
                "domainName": domain,
                "domainPrefix": "bench",
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": "bench/1.0",
                },
                "requestId": format!("bench-{number}"),
                "routeKey": route_key,
                "stage": "$default",
                "time": "01/Jan/2026:00:00:00 +0000",
                "timeEpoch": seconds * 1_000,
            },
            "isBase64Encoded": false,
        })
    }
}

fn bytes(event: &Value) -> Bytes {
    event.to_string().into()
}
