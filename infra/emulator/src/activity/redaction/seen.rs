//! Secrets that pass the platform, so that they are hidden at each later place: a password in
//! the wrong field, a token in a path.
//!
//! Learned are the secret members of requests and of successful responses, and the tokens of mails.
//! Most bodies have none, which a search for their names shows without reading the JSON.

use std::sync::PoisonError;

use serde_json::Value;

use super::names::{self, Leaf};
use super::{MASK, Redaction, assigned, patterns};

/// The most values. Clients choose many of them, so they are few, and apart from the platform's own.
const SEEN_MAX: usize = 512;

/// The shortest value: a shorter one would hide unrelated text.
const BYTES_MIN: usize = 8;

/// The most bytes of a body that is searched.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Parts of the names of secret members, without their first character, whose case varies.
const NAMES: [&str; 3] = ["assw", "oken", "ecret"];

impl Redaction {
    /// Learns the values of secret members of a body in JSON.
    pub fn see(&self, body: &[u8]) {
        if body.len() > BODY_BYTES_MAX {
            return;
        }
        let Ok(text) = str::from_utf8(body) else { return };
        if !NAMES.iter().any(|name| text.contains(name)) {
            return;
        }
        if let Ok(document) = serde_json::from_str::<Value>(text) {
            self.see_members(&document);
        }
    }

    /// Learns the tokens in the texts of a mail: a body in JSON.
    pub fn see_mail(&self, body: &[u8]) {
        if let Ok(mail) = serde_json::from_slice::<Value>(body) {
            self.see_texts(&mail);
        }
    }

    fn see_members(&self, document: &Value) {
        match document {
            Value::Object(members) => {
                for (name, value) in members {
                    match value.as_str() {
                        Some(text) if names::hides(name, "", Leaf::Text(text)) => self.keep(text),
                        _ => self.see_members(value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.see_members(value)),
            _ => {}
        }
    }

    fn see_texts(&self, value: &Value) {
        match value {
            Value::Object(members) => members.values().for_each(|value| self.see_texts(value)),
            Value::Array(values) => values.iter().for_each(|value| self.see_texts(value)),
            Value::String(text) => {
                let found = assigned::find(text).into_iter().chain(patterns::find(text));
                let tokens = found.map(|range| &text[range]);
                tokens
                    .filter(|token| patterns::is_random(token))
                    .for_each(|token| self.keep(token));
            }
            _ => {}
        }
    }

    fn keep(&self, secret: &str) {
        let has_letter = secret.contains(|it: char| it.is_ascii_alphabetic());
        let has_other = secret.contains(|it: char| !it.is_ascii_alphabetic());
        // A JWT is found by its form. A single word would hide unrelated text.
        let is_kept = secret.len() >= BYTES_MIN
            && has_letter
            && has_other
            && !secret.starts_with("eyJ")
            && !secret.contains(MASK);
        if is_kept {
            let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
            if seen.len() >= SEEN_MAX {
                seen.forget_half();
            }
            seen.add_text(secret);
        }
    }
}
