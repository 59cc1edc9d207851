//! Recorded responses of every endpoint. No field of them may vanish or change its type; fields may
//! be added. They are also the examples of the API description.
//!
//! `RECORD=create_order,get_order cargo test --workspace --test api recorded` rewrites these files,
//! `RECORD=all` every file. Ids, times and tokens keep their recorded values.

use std::path::{Path, PathBuf};

use http::{HeaderName, Method};
use serde_json::{Map, Value, json};

use crate::harness::{
    ApiResponse, CUSTOMER, PASSWORD, eventually, home, lamp, new_product, order_of, read,
    shared_platform, unique, unique_email, user,
};

#[tokio::test]
async fn no_field_of_a_recorded_response_has_vanished_or_changed_its_type() {
    let api = shared_platform().await;
    let (customer, merchant) = (api.token("customer").await, api.token("merchant").await);
    let admin = api.token("admin").await;
    let credentials = json!({ "email": "customer@example.com", "password": PASSWORD });
    let product = new_product(&api.person("merchant").await, 9).await;
    let order = order_of(product, 1);
    let me = format!("/users/{CUSTOMER}");
    let asking = json!({ "email": unique_email() });
    let proof = json!({ "token": "spent", "password": "another-long-password" });
    // Two of them, so that there is a next page.
    let shopper = api.person("customer").await;
    shopper.create_order(&order, None).await.unwrap();
    let ordered = shopper.create_order(&order, None).await.unwrap().data.order_id;
    eventually("two orders to be listed", async || {
        let one = read(json!({ "limit": 1 }));
        shopper.list_user_orders(CUSTOMER.into(), &one).await.unwrap().data.next_cursor
    })
    .await;
    let patch = json!({ "available": false });
    // Puts the rules that are stored already, because all tests share them.
    let mut rules = json!(api.person("admin").await.get_rules().await.unwrap().data);
    rules.as_object_mut().unwrap().remove("version");
    let writer = api.token("writer").await;
    let article = json!({ "title": "How lamps shine", "content": "They glow." });
    let written = api.person("writer").await.post_article(&read(article.clone()), None).await;
    let written = format!("/articles/{}", written.unwrap().data.article_id);
    let (approvals, links) = (format!("{written}/approvals/me"), format!("{written}/share-links"));
    let object = api.new_object().await;
    let unknown = "/orders/00000000-0000-7000-8000-000000000000";

    let calls = vec![
        ("get_health", api.get("/healthcheck")),
        ("get_jwks", api.get("/.well-known/jwks.json")),
        ("post_user", api.post("/users", &json!(user(&unique_email())))),
        ("get_user", api.get(&me).token(&customer)),
        ("post_verification_email", api.post("/verification-emails", &asking)),
        ("post_password_reset", api.post("/password-resets", &asking)),
        ("put_password", api.put(&format!("{me}/password"), &proof)),
        ("put_verification", api.put(&format!("{me}/verification"), &proof)),
        ("post_session", api.post("/sessions", &credentials)),
        ("post_address", api.post("/addresses", &json!(home())).token(&customer)),
        ("post_product", api.post("/products", &json!(lamp(9))).token(&merchant)),
        ("get_product", api.get(&format!("/products/{product}"))),
        ("list_products", api.get("/products?limit=1")),
        (
            "list_partner_products",
            api.get("/partner/products?pageSize=1")
                .header("x-partner-id", "acme")
                .header("accept-language", "en"),
        ),
        ("create_order", api.order(&customer, &unique("key"), &order)),
        ("get_order", api.get(&format!("/orders/{ordered}")).token(&customer)),
        ("list_orders", api.get("/orders?limit=1").token(&admin)),
        ("list_user_orders", api.get(&format!("/orders/user/{CUSTOMER}?limit=1")).token(&customer)),
        ("patch_product", api.patch(&format!("/products/{product}"), &patch).token(&merchant)),
        ("get_rules", api.get("/rules").token(&admin)),
        ("put_rules", api.put("/rules", &rules).token(&admin)),
        ("delete_order", api.delete(unknown).token(&customer)),
        ("post_article", api.post("/articles", &article).token(&writer)),
        ("get_article", api.get(&written).token(&writer)),
        ("patch_article", api.patch(&written, &article).token(&writer)),
        ("put_approval", api.call(Method::PUT, &approvals).token(&api.token("editor").await)),
        ("post_share_link", api.call(Method::POST, &links).token(&writer)),
        ("post_callback", api.post("/callback", &json!({ "object_ids": [object] }))),
        ("get_object", api.get(&format!("/objects/{object}"))),
        ("error", api.post("/users", &json!({}))),
        ("problem", api.post("/users", &json!({})).header("accept", "application/problem+json")),
    ];
    let wanted = std::env::var("RECORD").unwrap_or_default();
    let unknown = wanted.split(',').filter(|name| !["", "all"].contains(name));
    let mut unknown = unknown.filter(|name| calls.iter().all(|(known, _)| known != name));
    assert_eq!(unknown.next(), None, "RECORD names a call that is not in the list");
    for (name, call) in calls {
        let answer = call.send().await;
        let shown = as_recorded(&answer);
        let path = file(name);
        let recorded = std::fs::read_to_string(&path);
        if wanted.split(',').any(|wanted| wanted == name || wanted == "all") {
            let before = recorded.as_ref().ok();
            let before: Option<Value> = before.and_then(|text| serde_json::from_str(text).ok());
            let kept = with_values_of(&before.unwrap_or_default(), shown.clone());
            std::fs::write(&path, format!("{kept:#}\n")).unwrap();
            continue;
        }
        let recorded = recorded.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let recorded: Value = serde_json::from_str(&recorded).unwrap();
        assert_eq!(shown["status"], recorded["status"], "{name}");
        let broken = differences("", &shape(&recorded), &shape(&shown));
        assert!(broken.is_empty(), "{name}: {broken:#?}");
    }
}

#[test]
fn additions_pass_and_vanished_or_changed_fields_are_named() {
    let recorded = json!({ "a": "string", "b": [{ "c": "number" }] });
    for (shown, broken) in [
        (json!({ "a": "string", "b": [{ "c": "number", "d": "null" }], "e": "null" }), vec![]),
        (json!({ "a": "string", "b": [] }), vec!["/b/0 has vanished"]),
        (json!({ "b": [{ "c": "string" }] }), vec!["/a has vanished", "/b/0/c has changed"]),
        (json!({ "a": { "x": "string" }, "b": "null" }), vec!["/a has changed", "/b has changed"]),
    ] {
        assert_eq!(differences("", &recorded, &shown), broken, "{shown}");
    }
}

#[test]
fn ids_times_and_tokens_keep_their_recorded_values_and_other_values_are_new() {
    let token = |letter: &str| letter.repeat(40);
    let before = json!({
        "id": "01a1ff68-d620-7528-854b-167b11d191ad", "token": token("x"), "name": "Lamp",
        "at": "2026-11-21T18:40:23.072Z", "count": 1, "gone": "x", "lines": [{ "id": "0-1" }],
    });
    let shown = json!({
        "id": "0b2b3c4d-0000-7000-8000-000000000001", "token": token("y"), "name": "Kettle",
        "at": "2026-12-01T07:00:00.001Z", "count": 2, "new": true, "lines": [{ "id": "0-2" }, {}],
    });
    let expected = json!({
        "id": before["id"], "token": token("x"), "name": "Kettle",
        "at": before["at"], "count": 2, "new": true, "lines": [{ "id": "0-1" }, {}],
    });
    assert_eq!(with_values_of(&before, shown), expected);
}

/// A response with the ids, times and tokens of an earlier one, where both have some.
fn with_values_of(before: &Value, shown: Value) -> Value {
    match (before, shown) {
        (Value::Object(before), Value::Object(shown)) => {
            let kept = shown.into_iter().map(|(name, value)| {
                let value = with_values_of(before.get(&name).unwrap_or(&Value::Null), value);
                (name, value)
            });
            kept.collect()
        }
        (Value::Array(before), Value::Array(shown)) => {
            let before = before.iter().chain(std::iter::repeat(&Value::Null));
            shown
                .into_iter()
                .zip(before)
                .map(|(shown, before)| with_values_of(before, shown))
                .collect()
        }
        (Value::String(before), Value::String(shown)) if is_alike(before, &shown) => {
            before.clone().into()
        }
        (_, shown) => shown,
    }
}

/// Whether two texts differ in digits only, hexadecimal or not, or are both tokens.
fn is_alike(one: &str, other: &str) -> bool {
    let is_token = |text: &str| text.len() >= 40 && !text.contains(char::is_whitespace);
    let between = |text: &str| -> Vec<String> {
        text.split(|letter: char| letter.is_ascii_hexdigit())
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    (is_token(one) && is_token(other)) || between(one) == between(other)
}

/// The status, the headers that clients may rely on, and the body.
fn as_recorded(answer: &ApiResponse) -> Value {
    let of_the_gateway = ["apigw-requestid", "connection", "content-length", "date", "vary"];
    let headers = answer.headers.keys().map(HeaderName::as_str);
    let headers = headers.filter(|name| !of_the_gateway.contains(name));
    let headers: Map<_, _> =
        headers.map(|name| (name.to_owned(), json!(answer.header(name)))).collect();
    let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
    json!({ "status": answer.status.to_string(), "headers": headers, "body": body })
}

/// A value with every scalar replaced by its type, and every list by its first item.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::String(_) => "string".into(),
        Value::Number(number) if number.is_f64() => "number".into(),
        Value::Number(_) => "integer".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Null => "null".into(),
    }
}

/// The recorded parts that have vanished or changed, by JSON Pointer.
fn differences(at: &str, recorded: &Value, shown: &Value) -> Vec<String> {
    let inner = |name: &str, recorded: &Value, shown: Option<&Value>| {
        let at = format!("{at}/{name}");
        match shown {
            Some(shown) => differences(&at, recorded, shown),
            None => vec![format!("{at} has vanished")],
        }
    };
    match (recorded, shown) {
        (Value::Object(recorded), Value::Object(shown)) => recorded
            .iter()
            .flat_map(|(name, recorded)| inner(name, recorded, shown.get(name)))
            .collect(),
        (Value::Array(recorded), Value::Array(shown)) => {
            recorded.iter().flat_map(|recorded| inner("0", recorded, shown.first())).collect()
        }
        _ if recorded == shown => Vec::new(),
        _ => vec![format!("{at} has changed")],
    }
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("recorded/{name}.json"))
}
