//! Odd input: requests that no program of ours sends.

use serde_json::json;
use simulation::world::ApiRequest;

/// The number of odd requests.
pub(super) const ODD: usize = 14;

/// An odd request. A token may be added.
pub(super) fn odd(index: usize) -> ApiRequest {
    let order = |body: &str| {
        ApiRequest::new("POST", "/orders")
            .header("content-type", "application/json")
            .header("idempotency-key", "odd")
            .bytes(body.as_bytes().to_vec())
    };
    match index {
        0 => order("{"),
        1 => order(&"[".repeat(5_000)),
        2 => order(r#"{"items": "none", "addressId": 7, "paymentMethod": null, "more": {}}"#),
        3 => order(r#"{"items": [{"productId": "x", "quantity": 1e400}], "items": []}"#),
        4 => ApiRequest::post("/orders", &json!({ "items": [] })),
        5 => ApiRequest::get("/products?limit=0&order=sideways&cursor=%00"),
        6 => ApiRequest::get("/products/not-a-uuid"),
        7 => ApiRequest::new("TRACE", "/orders"),
        8 => ApiRequest::get("/nowhere/at/all"),
        9 => ApiRequest::new("POST", "/callback")
            .header("content-type", "text/plain")
            .bytes(b"object_ids=1".to_vec()),
        // Thousands of violations: the answer may not have them all.
        10 => order(&format!(r#"{{"items": [{}{{}}]}}"#, "{}, ".repeat(2_000))),
        11 => {
            let unknown: Vec<String> =
                (0..78).map(|number| format!(r#""{number:0>195}": 1"#)).collect();
            order(&format!("{{{}}}", unknown.join(",")))
        }
        12 => ApiRequest::post("/callback", &json!({ "object_ids": vec![1_i64; 201] })),
        _ => ApiRequest::get("/orders").header("accept", "image/png"),
    }
}
