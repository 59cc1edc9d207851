//! Many shapes of secrets, and of values that only look like them.

mod bodies;
mod texts;
mod values;

use super::Redaction;

const JWT: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLW9mLWl0";

fn redaction() -> Redaction {
    Redaction::new()
}
