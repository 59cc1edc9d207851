//! Descriptions of endpoints.

use super::notes::{GetNote, PostNote};
use crate::describe;
use crate::endpoint::Endpoint;

#[test]
fn an_endpoint_describes_all_its_error_responses() {
    let always = "400 INVALID_REQUEST, 401 UNAUTHORIZED, 406 NOT_ACCEPTABLE, \
                  412 PRECONDITION_FAILED, 413 PAYLOAD_TOO_LARGE, 429 RATE_LIMIT_EXCEEDED, 500 INTERNAL_ERROR, \
                  503 SERVICE_UNAVAILABLE, 504 TIMED_OUT";
    let posting = "403 FORBIDDEN, 409 UNDECIDED, 415 UNSUPPORTED_MEDIA_TYPE, \
                   422 IDEMPOTENCY_KEY_REUSED, 422 SHELF_FULL";
    assert_eq!(error_codes::<GetNote>(), sorted(&format!("{always}, 404 NOT_FOUND")));
    assert_eq!(error_codes::<PostNote>(), sorted(&format!("{always}, {posting}")));
}

fn error_codes<E: Endpoint>() -> Vec<String> {
    let described = describe::endpoint::<E>();
    let refusals = described["refusals"].as_array().unwrap().iter();
    let named = refusals
        .map(|refusal| format!("{} {}", refusal["status"], refusal["code"].as_str().unwrap()));
    let mut named: Vec<_> = named.collect();
    named.sort();
    named
}

fn sorted(list: &str) -> Vec<String> {
    let mut list: Vec<_> = list.split(", ").map(str::to_owned).collect();
    list.sort();
    list
}
