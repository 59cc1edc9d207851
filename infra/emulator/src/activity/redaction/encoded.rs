//! Secrets in texts that are in Base64: JSON documents, and forms, which API Gateway encodes.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{NESTED_MAX, Place, Redaction, layout};

impl Redaction {
    /// Whether a text is another text in Base64 that has secrets.
    pub(super) fn is_secret_document(&self, text: &str, place: Place<'_>) -> bool {
        let text = text.trim().trim_end_matches('=');
        let is_encoded =
            |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/' | b'-' | b'_');
        if text.len() < 16 || place.nested >= NESTED_MAX || !text.bytes().all(is_encoded) {
            return false;
        }
        let Ok(read) = STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text))
        else {
            return false;
        };
        let Ok(plain) = str::from_utf8(&read) else { return false };
        match layout::read(plain) {
            Some(value @ (Value::Object(_) | Value::Array(_))) => {
                let inner = Place { nested: place.nested + 1, ..place };
                self.value(value.clone(), inner) != value
            }
            _ if is_form(plain) => self.path(&format!("?{plain}"))[1..] != *plain,
            _ => self.text(plain) != plain,
        }
    }
}

/// Whether a text has only characters of a form.
fn is_form(text: &str) -> bool {
    text.contains('=') && !text.contains(|it: char| it.is_whitespace() || matches!(it, '<' | '"'))
}
