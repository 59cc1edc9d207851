//! Secrets in JSON documents that are in Base64.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{NESTED_MAX, Place, Redaction};

impl Redaction {
    /// Whether a text is a JSON document in Base64 that has secrets.
    pub(super) fn is_secret_document(&self, text: &str, place: Place<'_>) -> bool {
        let text = text.trim().trim_end_matches('=');
        // `{"`, `{` with a space, and `[`.
        let is_document = ["ey", "ew", "W"].iter().any(|begin| text.starts_with(begin));
        if !is_document || text.len() < 16 || place.nested >= NESTED_MAX {
            return false;
        }
        let Ok(read) = STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text))
        else {
            return false;
        };
        let Ok(value) = serde_json::from_slice::<Value>(&read) else { return false };
        let inner = Place { nested: place.nested + 1, ..place };
        (value.is_object() || value.is_array()) && self.value(value.clone(), inner) != value
    }
}
