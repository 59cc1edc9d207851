//! Requests to AWS in a form that is the same in each run.
//!
//! The SDK's items are hash maps, whose order differs in each process, and with it the signature.

use http::header::{AUTHORIZATION, CONTENT_LENGTH, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use serde_json::Value;

/// The beginning of AWS's signatures (Signature Version 4).
const SIGNED: &str = "AWS4-HMAC-SHA256 ";

/// Headers with random ids, versions and secrets.
const LEFT_OUT: [HeaderName; 4] = [
    USER_AGENT,
    HeaderName::from_static("amz-sdk-invocation-id"),
    HeaderName::from_static("x-amz-security-token"),
    HeaderName::from_static("x-amz-user-agent"),
];

/// Returns a signed request without its signature and random parts, and with ordered JSON. Other
/// requests are unchanged.
pub(super) fn canonical(request: Request<Vec<u8>>) -> Request<Vec<u8>> {
    let (mut head, mut body) = request.into_parts();
    if let Some(credential) = credential(&head.headers) {
        head.headers.insert(AUTHORIZATION, credential);
        for name in LEFT_OUT {
            head.headers.remove(name);
        }
        if let Some(ordered) = ordered(&body) {
            body = ordered;
            if head.headers.contains_key(CONTENT_LENGTH) {
                head.headers.insert(CONTENT_LENGTH, body.len().into());
            }
        }
    }
    Request::from_parts(head, body)
}

/// The JSON with the members of each object in the order of their names.
fn ordered(json: &[u8]) -> Option<Vec<u8>> {
    let mut json: Value = serde_json::from_slice(json).ok()?;
    // With `serde_json/preserve_order`, which any crate may enable, objects have the order of the text.
    json.sort_all_objects();
    serde_json::to_vec(&json).ok()
}

/// The header of a signed request up to its credential.
fn credential(headers: &HeaderMap) -> Option<HeaderValue> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let credential = header.strip_prefix(SIGNED)?.split(',').next()?;
    HeaderValue::from_str(&format!("{SIGNED}{}", credential.trim())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_request_keeps_its_credential_and_has_ordered_json() {
        let request = Request::post("https://dynamodb.eu-central-1.amazonaws.com/")
            .header(AUTHORIZATION, "AWS4-HMAC-SHA256 Credential=k/1/eu/dynamodb/aws4_request, SignedHeaders=host, Signature=5f")
            .header("amz-sdk-invocation-id", "random")
            .header("amz-sdk-request", "attempt=1; max=3")
            .header(CONTENT_LENGTH, 22)
            .body(br#"{"b":1, "a":{"d":2,"c":[3]}}"#.to_vec())
            .unwrap();

        let request = canonical(request);

        let header = |name: &str| request.headers().get(name).map(|it| it.to_str().unwrap());
        let credential = "AWS4-HMAC-SHA256 Credential=k/1/eu/dynamodb/aws4_request";
        assert_eq!(header("authorization"), Some(credential));
        assert_eq!(header("amz-sdk-invocation-id"), None);
        assert_eq!(header("amz-sdk-request"), Some("attempt=1; max=3"));
        assert_eq!(request.body(), br#"{"a":{"c":[3],"d":2},"b":1}"#);
        assert_eq!(header("content-length"), Some("27"));
    }

    #[test]
    fn a_request_to_another_host_is_unchanged() {
        let body = br#"{"b":1,"a":2}"#.to_vec();
        let request = Request::post("https://partner.example/")
            .header(AUTHORIZATION, "Bearer token")
            .header(USER_AGENT, "store")
            .body(body.clone())
            .unwrap();
        let request = canonical(request);
        assert_eq!((request.body(), request.headers().len()), (&body, 2));
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer token");
    }
}
