//! Authentication: tokens, the authorizer, and the verdicts that the gateway caches.

use std::io::ErrorKind;
use std::net::TcpListener;

use aws::tokens::{KeyPair, generate};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use emulator::faults::{Faults, StoreFault};
use emulator::options::Options;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    AUDIENCE, Api, ISSUER, InProcess, Refused, eventually, fresh_platform, new_address,
    shared_platform, someone, token_by, when,
};

/// Accepted difference of clocks before an expired token is refused, in seconds.
const LEEWAY_S: i64 = 60;

#[tokio::test]
async fn a_hundred_requests_with_one_token_call_the_authorizer_once() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let customer = api.someone(api.inside().unwrap(), "CUSTOMER");
    new_address(&customer).await;

    for _ in 0..99 {
        customer.get_user(Uuid::new_v4().into()).await.refused(404, "NOT_FOUND");
    }

    let asked = api.control().unwrap().invocations("AuthorizerFunction").await;
    assert_eq!(asked.len(), 1, "the verdict holds for every route");
}

#[tokio::test]
async fn a_token_that_expires_while_its_verdict_is_cached_is_401() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let nobody = Uuid::new_v4().to_string();
    let ends_in_s = 30 - LEEWAY_S;
    let token = api.inside().unwrap().token_ending_in(ends_in_s, &nobody, &["CUSTOMER"]);
    let ask = async || api.get(&format!("/users/{nobody}")).token(&token).send().await;
    ask().await.error(404, "NOT_FOUND");

    api.control().unwrap().pass(31).await;

    let refused = ask().await;
    refused.error(401, "UNAUTHORIZED");
    assert!(refused.header("www-authenticate").starts_with("Bearer "), "{refused:?}");
    let asked = api.control().unwrap().invocations("AuthorizerFunction").await;
    assert_eq!(asked.len(), 1, "the gateway has asked only the first time");
}

#[tokio::test]
async fn an_invalid_token_is_401_for_every_defect_and_nothing_is_read() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let attackers_keys = TcpListener::bind("127.0.0.1:0").unwrap();
    attackers_keys.set_nonblocking(true).unwrap();
    let address = format!("http://{}/keys.json", attackers_keys.local_addr().unwrap());
    for (what, token) in attacks(api.inside().unwrap(), &address) {
        let answer = api.get(&format!("/users/{}", Uuid::nil())).token(&token).send().await;
        assert_eq!(answer.status, 401, "{what}");
        answer.error(401, "UNAUTHORIZED");
        assert!(answer.header("www-authenticate").contains("invalid_token"), "{what}: {answer:?}");
    }
    assert_reads_nothing(&api, "GetUserFunction", "UsersTable").await;
    let asked =
        attackers_keys.accept().expect_err("no function reads keys from an address in a token");
    assert_eq!(asked.kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn an_invalid_token_on_a_public_route_is_401_and_nothing_is_read() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let nowhere = "http://127.0.0.1:9/keys.json";
    for (what, token) in attacks(api.inside().unwrap(), nowhere) {
        let answer = api.get(&format!("/articles/{}", Uuid::nil())).token(&token).send().await;
        assert_eq!(answer.status, 401, "{what}");
        answer.error(401, "UNAUTHORIZED");
        assert!(answer.header("www-authenticate").starts_with("Bearer "), "{what}: {answer:?}");
    }
    assert_reads_nothing(&api, "GetArticleFunction", "ArticlesTable").await;
}

/// A valid token and a second authorization, in either order.
#[tokio::test]
async fn a_valid_token_with_a_second_authorization_is_401() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let nobody = Uuid::new_v4().to_string();
    let good = format!("Bearer {}", api.inside().unwrap().token(&nobody, &["CUSTOMER"]));
    let alone = api.get(&format!("/users/{nobody}")).header("authorization", &good);
    alone.send().await.error(404, "NOT_FOUND");
    for other in [good.as_bytes(), b"Bearer x", b"Basic YTpi", b"", b"\xff", b"Bearer \xe9"] {
        for both in [[good.as_bytes(), other], [other, good.as_bytes()]] {
            for path in [format!("/users/{nobody}"), format!("/articles/{nobody}")] {
                let call = api.get(&path).raw_header("authorization", both[0]);
                let answer = call.raw_header("authorization", both[1]).send().await;
                answer.error(401, "UNAUTHORIZED");
                assert!(answer.header("www-authenticate").starts_with("Bearer "), "{answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_new_key_verifies_as_soon_as_a_token_names_it() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let inside = api.inside().unwrap();
    let old = inside.token(&Uuid::new_v4().to_string(), &["CUSTOMER"]);
    assert_eq!(verdict(&api, &old).await, 404);

    let new = generate().unwrap();
    let both = json!({ "keys": [inside.public_key(), new.verification] });
    let stores = inside.platform().stores();
    stores.put_secret("VerificationKeysSecret", &both.to_string()).await.unwrap();

    assert_eq!(verdict(&api, &token_by(&new)).await, 404);
    let old = inside.token(&Uuid::new_v4().to_string(), &["CUSTOMER"]);
    assert_eq!(verdict(&api, &old).await, 404);
    assert_eq!(verdict(&api, &token_by(&generate().unwrap())).await, 401);
}

#[tokio::test]
async fn an_authorizer_without_keys_is_503_and_admits_no_request() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let (control, inside) = (api.control().unwrap(), api.inside().unwrap());
    control
        .inject(&Faults::default().secret("VerificationKeysSecret", StoreFault::fail(1.0)))
        .await;
    let token = someone(inside, "CUSTOMER");
    let ask = async |token: &str| {
        let nobody = Uuid::new_v4().into();
        api.client().with_token(token).get_user(nobody).await
    };
    let refused = ask(&token).await.refused(503, "SERVICE_UNAVAILABLE");
    let asked_again_s = refused.retry_after_s.unwrap();
    assert!(
        (290..=300).contains(&asked_again_s),
        "the gateway caches the verdict: {asked_again_s}"
    );
    let verdicts = [r#"verdict="unavailable""#];
    assert!(control.metric("token_verdicts_total", &verdicts).await >= 1.0);

    control.no_faults().await;
    ask(&token).await.refused(503, "SERVICE_UNAVAILABLE");
    let found =
        async || when(verdict(&api, &someone(inside, "CUSTOMER")).await, |seen| *seen == 404);
    eventually("the keys to be read again", found).await;
}

#[tokio::test]
async fn the_published_keys_are_public_and_include_the_signing_key() {
    let api = shared_platform().await;
    let token = api.token("customer").await;
    let published = api.client().get_jwks().await.unwrap().data;
    let keys = published["keys"].as_array().unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert!(keys.iter().any(|key| key["kid"] == header.kid.as_deref().unwrap()), "{keys:?}");
    for key in keys {
        assert!(key.get("d").is_none() && key.get("k").is_none(), "a private part: {key}");
    }
}

/// Checks that no request made the function read the table.
async fn assert_reads_nothing(api: &Api, function: &str, table: &str) {
    let invocations = api.control().unwrap().invocations(function).await;
    assert!(!invocations.is_empty());
    let read = |invocation: &Value| invocation.to_string().contains(&format!("GetItem {table}"));
    let first = invocations.iter().skip(1).find(|invocation| read(invocation));
    assert_eq!(first, None, "only a start reads, to open its connection");
}

/// The status of a request about an unknown user.
async fn verdict(api: &Api, token: &str) -> u16 {
    let answer = api.client().with_token(token).get_user(Uuid::new_v4().into()).await;
    answer.unwrap_err().refusal().expect("the API responds").status.as_u16()
}

/// Invalid tokens, each with one defect. At `address` an attacker offers keys.
fn attacks(inside: &InProcess, address: &str) -> Vec<(&'static str, String)> {
    let mut attacks = forged(inside);
    attacks.extend(signed_by_an_attacker(inside, address));
    attacks.extend(malformed(inside));
    attacks
}

/// Tokens that are unsigned, or not signed by the right key for this purpose.
fn forged(inside: &InProcess) -> Vec<(&'static str, String)> {
    let good = inside.token(&Uuid::new_v4().to_string(), &["CUSTOMER"]);
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let kid = inside.public_key()["kid"].as_str().unwrap();
    let claims = decoded(payload);
    let mut admin = claims.clone();
    admin["roles"] = json!(["ADMIN"]);
    let admin = encoded(&admin);
    let none = |alg: &str| encoded(&json!({ "alg": alg, "typ": "JWT", "kid": kid }));
    let no_kid = encoded(&json!({ "alg": "EdDSA", "typ": "JWT" }));
    let x = inside.public_key()["x"].as_str().unwrap();
    let hmac = |secret: &[u8]| {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let expired = inside.token_ending_in(-LEEWAY_S - 2, &Uuid::new_v4().to_string(), &[]);
    let not_yet = inside.token_ending_in(900 + LEEWAY_S + 30, &Uuid::new_v4().to_string(), &[]);
    vec![
        ("alg none", format!("{}.{payload}.", none("none"))),
        ("alg None, signed", format!("{}.{payload}.{signature}", none("None"))),
        ("HMAC with the public key as text", hmac(x.as_bytes())),
        ("HMAC with the public key", hmac(&BASE64_URL_SAFE_NO_PAD.decode(x).unwrap())),
        ("HMAC with the JWK", hmac(inside.public_key().to_string().as_bytes())),
        ("an unknown key", token_by(&generate().unwrap())),
        ("no kid", format!("{no_kid}.{payload}.{signature}")),
        ("another issuer", inside.token_from("https://evil.example.com", AUDIENCE)),
        ("another audience", inside.token_from(ISSUER, "another-api")),
        ("expired", expired),
        ("not valid yet", not_yet),
        ("an altered payload", format!("{header}.{admin}.{signature}")),
        ("no signature", format!("{header}.{payload}.")),
    ]
}

/// Tokens with a correct signature of a key that only the token itself vouches for.
fn signed_by_an_attacker(inside: &InProcess, address: &str) -> Vec<(&'static str, String)> {
    let attacker = generate().unwrap();
    let ours = inside.public_key()["kid"].as_str().unwrap();
    let signed = |kid: &str, member: &str, value: Value| signed_by(&attacker, kid, member, value);
    let certificate = json!([attacker.verification["x"]]);
    vec![
        ("its own key in `jwk`", signed(ours, "jwk", attacker.verification.clone())),
        ("its own key and name in `jwk`", signed("own", "jwk", attacker.verification.clone())),
        ("its own address in `jku`", signed("own", "jku", json!(address))),
        ("its own address in `x5u`", signed("own", "x5u", json!(address))),
        ("its own certificate in `x5c`", signed("own", "x5c", certificate)),
        ("a file as `kid`", signed("../../../../dev/null", "typ", json!("JWT"))),
        ("an address as `kid`", signed(address, "typ", json!("JWT"))),
        ("SQL as `kid`", signed("' UNION SELECT 'key' --", "typ", json!("JWT"))),
        ("an empty `kid`", signed("", "typ", json!("JWT"))),
    ]
}

/// Valid tokens in other forms than the accepted one.
fn malformed(inside: &InProcess) -> Vec<(&'static str, String)> {
    let good = inside.token(&Uuid::new_v4().to_string(), &["CUSTOMER"]);
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let signatures = json!([{ "protected": header, "signature": signature },
        { "protected": header, "signature": signature }]);
    let long = inside.token(&Uuid::new_v4().to_string(), &["CUSTOMER"; 620]);
    assert!(
        (9 * 1024..10_000).contains(&long.len()),
        "the gateway accepts its size: {}",
        long.len()
    );
    vec![
        ("two parts", format!("{header}.{payload}")),
        ("two signatures", format!("{good}.{signature}")),
        ("five parts", format!("{good}.{payload}.{signature}")),
        ("JSON", json!({ "payload": payload, "signatures": signatures }).to_string()),
        ("9 KiB, and otherwise valid", long),
        ("garbage", "garbage".to_owned()),
    ]
}

/// A token with valid claims and one more member in its header, signed by this key pair.
fn signed_by(keys: &KeyPair, kid: &str, member: &str, value: Value) -> String {
    let good = token_by(keys);
    let payload = good.split('.').nth(1).unwrap();
    let mut header = json!({ "alg": "EdDSA", "kid": kid });
    header[member] = value;
    let message = format!("{}.{payload}", encoded(&header));
    let der = BASE64_STANDARD.decode(keys.signing["privateKey"].as_str().unwrap()).unwrap();
    let key = EncodingKey::from_ed_der(&der);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

fn encoded(json: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
