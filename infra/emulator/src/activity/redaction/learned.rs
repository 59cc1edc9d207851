//! Values that the platform knows to be secret, found in any text in linear time.
//!
//! Each value is looked for as it is, escaped in JSON (once and twice), encoded for URLs and HTML,
//! and in Base64 at any offset, so that it is also found inside of `user:password` in Base64.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

/// The shortest secret: a shorter one would hide unrelated text. The search reads 8 bytes at once.
const BYTES_MIN: usize = 8;

/// The longest secret that is looked for: that of Secrets Manager.
const BYTES_MAX: usize = 64 * 1024;

/// The maximum number of secrets; the oldest are forgotten first.
const SECRETS_MAX: usize = 4_096;

/// The maximum bytes of all secrets.
const TOTAL_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Members of a secret in JSON that are public, in lower case.
const PUBLIC: [&str; 22] = [
    "alg",
    "algorithm",
    "aud",
    "crv",
    "database",
    "dbname",
    "e",
    "endpoint",
    "engine",
    "host",
    "hostname",
    "iss",
    "issuer",
    "kid",
    "kty",
    "n",
    "region",
    "typ",
    "url",
    "use",
    "x",
    "y",
];

/// The known secrets.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// In the order in which they came.
    secrets: VecDeque<String>,
    bytes: usize,
    known: BTreeSet<String>,
    /// All forms of all secrets, by their first 8 bytes.
    forms: HashMap<u64, Vec<Box<[u8]>>>,
    /// A bit for the hash of each key of `forms`, so that most places of a text need no look-up.
    heads: Heads,
}

/// A set of 2^16 bits.
#[derive(Debug)]
struct Heads(Box<[u64]>);

impl Default for Heads {
    fn default() -> Self {
        Self(vec![0; 1 << 10].into())
    }
}

impl Heads {
    /// Multiplicative hashing with the golden ratio: the upper bits depend on all bytes.
    fn place(head: u64) -> (usize, u64) {
        let hash = head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        (usize::try_from(hash >> 6).unwrap_or(0), 1 << (hash & 63))
    }

    fn insert(&mut self, head: u64) {
        let (word, bit) = Self::place(head);
        self.0[word] |= bit;
    }

    fn may_contain(&self, head: u64) -> bool {
        let (word, bit) = Self::place(head);
        self.0[word] & bit != 0
    }
}

impl Learned {
    /// Adds a secret, or the texts of a JSON document.
    pub(super) fn add(&mut self, secret: &str) {
        let document = serde_json::from_str::<Value>(secret).ok();
        match document.filter(|value| value.is_object() || value.is_array()) {
            Some(document) => self.add_texts("", &document),
            None => self.add_text(secret.trim()),
        }
    }

    /// The places of all secrets in a text.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        if self.forms.is_empty() || bytes.len() < BYTES_MIN {
            return found;
        }
        let mut head = 0;
        let mut end = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            head = head << 8 | u64::from(byte);
            let Some(start) = (at + 1).checked_sub(BYTES_MIN) else { continue };
            if start < end || !self.heads.may_contain(head) {
                continue;
            }
            let forms = self.forms.get(&head).into_iter().flatten();
            let matching = forms.filter(|form| bytes[start..].starts_with(form));
            if let Some(longest) = matching.map(|form| form.len()).max() {
                end = start + longest;
                found.push(start..end);
            }
        }
        found
    }

    fn add_texts(&mut self, name: &str, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    self.add_texts(name, value);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.add_texts(name, value)),
            Value::String(text) if !PUBLIC.contains(&&*name.to_ascii_lowercase()) => {
                self.add_text(text);
            }
            _ => {}
        }
    }

    fn add_text(&mut self, secret: &str) {
        let is_of_length = (BYTES_MIN..=BYTES_MAX).contains(&secret.len());
        if !is_of_length || self.known.contains(secret) {
            return;
        }
        if self.secrets.len() >= SECRETS_MAX || self.bytes + secret.len() > TOTAL_BYTES_MAX {
            self.forget_half();
        }
        self.remember(secret.to_owned());
    }

    fn forget_half(&mut self) {
        let mut kept = std::mem::take(self).secrets;
        kept.drain(..kept.len().div_ceil(2));
        for secret in kept {
            self.remember(secret);
        }
    }

    fn remember(&mut self, secret: String) {
        for form in forms(&secret) {
            let Some(first) = form.first_chunk::<BYTES_MIN>() else { continue };
            let head = u64::from_be_bytes(*first);
            self.heads.insert(head);
            let forms = self.forms.entry(head).or_default();
            if !forms.iter().any(|known| **known == *form) {
                forms.push(form.into());
            }
        }
        self.bytes += secret.len();
        self.known.insert(secret.clone());
        self.secrets.push_back(secret);
    }
}

/// All forms in which a secret is looked for.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let once = in_json(secret);
    let twice = in_json(&once);
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut texts = vec![
        secret.to_owned(),
        once.replace('/', "\\/"),
        in_ascii(&once),
        once,
        twice,
        format!("{secret:?}").trim_matches('"').to_owned(),
        html.replace('"', "&quot;").replace('\'', "&#39;"),
        html.replace('"', "&#34;").replace('\'', "&#x27;"),
    ];
    // The sets of characters that forms, `encodeURIComponent` and RFC 3986 leave as they are.
    for left in ["*-._", "-_.!~*'()", "-_.~", "-_.~/:@!$'()*,;"] {
        let upper = in_url(secret, left);
        texts.push(upper.replace("%20", "+"));
        texts.push(in_lower_hex(&upper));
        texts.push(upper);
    }
    let mut forms: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    for offset in 0..3 {
        let mut input = vec![0; offset];
        input.extend_from_slice(secret.as_bytes());
        // Only these characters depend on nothing but the secret.
        let (first, last) = ((8 * offset).div_ceil(6), 8 * input.len() / 6);
        for encoded in [STANDARD_NO_PAD.encode(&input), URL_SAFE_NO_PAD.encode(&input)] {
            forms.push(encoded.as_bytes()[first..last].to_vec());
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// The text as in a JSON string, without quotes.
fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The text with `\u` for all characters beyond ASCII.
fn in_ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            let units = &mut [0; 2];
            let units = character.encode_utf16(units).iter();
            ascii.extend(units.map(|unit| format!("\\u{unit:04x}")));
        }
    }
    ascii
}

/// The text percent-encoded, but for ASCII alphanumerics and these characters.
fn in_url(text: &str, left: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || left.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(["%", &format!("{byte:02X}")]);
        }
    }
    encoded
}

/// The text with percent-encoding in lower case.
fn in_lower_hex(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hex, rest) = part.split_at(2);
        lower.push('%');
        lower.push_str(&hex.to_ascii_lowercase());
        lower.push_str(rest);
    }
    lower
}
