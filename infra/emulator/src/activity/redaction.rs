//! Redaction: passwords, tokens and other secrets are replaced before anything is shown.
//!
//! Three rules find them: the name of a header, member or parameter ([`names`]), the form of a text
//! such as a JWT ([`patterns`]), and the value of a secret that the platform knows ([`learned`]) or
//! that has passed it ([`seen`]).
//! A value that one of them finds is replaced whole. In doubt, a value is hidden.
//!
//! Not hidden, deliberately: booleans, `null` and empty texts (`hasPassword: true`); counts, times
//! and labels about a secret (`tokenCount: 3`, `passwordResetAt`, `tokenType`, `secretId`), if the
//! value is of that form; error codes; and `maxTokens: 1000`, since a plural with a number is a count.

mod assigned;
mod encoded;
pub(crate) mod layout;
mod learned;
mod marked;
mod names;
mod patterns;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use sam_template::percent::decode_query;
use serde_json::{Map, Value};

use self::learned::Learned;
use self::names::Leaf;
use super::view::Pair;

/// The text in the place of a secret.
pub(crate) const MASK: &str = "•••";

/// The end of a body that is longer than [`SHOWN_BYTES_MAX`].
pub(crate) const CUT: &str = "\n… (cut)";

/// The maximum bytes of a body that are shown.
pub(crate) const SHOWN_BYTES_MAX: usize = 256 * 1024;

/// The maximum bytes of a body that are read as JSON. A longer one is redacted as text, and only as
/// much of it as is shown, with a margin in which a secret may end.
const READ_BYTES_MAX: usize = 1024 * 1024;

/// The maximum number of times that a text inside of a JSON document is read as JSON.
const NESTED_MAX: usize = 8;

/// The redaction of a platform. It knows the values that must never be shown.
#[derive(Debug, Default)]
pub struct Redaction {
    learned: RwLock<Learned>,
    /// Values that passed the platform. They never displace the others.
    seen: RwLock<Learned>,
}

/// The place of a JSON value.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    /// The name of the member.
    name: &'a str,
    /// The name of the object around it.
    parent: &'a str,
    /// The nearest name above that hides values.
    hidden_by: Option<&'a str>,
    /// The number of texts around it that were read as JSON.
    nested: usize,
}

impl Redaction {
    /// A redaction that knows names and forms, and no values yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns a value that must never be shown, also escaped or encoded. If it is a JSON document,
    /// its texts are learned, without public ones such as the id of a key. A value below
    /// 8 bytes is ignored, since it would hide unrelated text.
    pub fn learn(&self, secret: &str) {
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        learned.add(secret);
    }

    /// Learns the texts of members whose name is secret, such as the password of a sign-in.
    pub fn learn_members(&self, document: &Value) {
        match document {
            Value::Object(members) => {
                for (name, value) in members {
                    match value.as_str() {
                        Some(text) if names::is_secret(name) => self.learn(text),
                        _ => self.learn_members(value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.learn_members(value)),
            _ => {}
        }
    }

    /// A text without secrets.
    pub fn text(&self, text: &str) -> String {
        let mut ranges = patterns::find(text);
        ranges.extend(assigned::find(text));
        ranges.extend(marked::find(text));
        for known in [&self.learned, &self.seen] {
            ranges.extend(known.read().unwrap_or_else(PoisonError::into_inner).find(text));
        }
        masked(text, ranges)
    }

    /// A JSON value without secrets. Texts that are JSON documents are redacted as such.
    pub fn json(&self, value: Value) -> Value {
        self.value(value, Place::default())
    }

    /// The value of a header.
    pub fn header(&self, name: &str, value: &str) -> String {
        if names::hides_header(name, value) {
            return MASK.to_owned();
        }
        self.plain(value)
    }

    /// The parameters of a query, decoded. A leading `?` is ignored.
    pub fn query(&self, query: &str) -> Vec<Pair> {
        let query = query.strip_prefix('?').unwrap_or(query);
        let parts = query.split('&').filter(|part| !part.is_empty());
        parts
            .map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                let (name, value) = (decode_query(name), decode_query(value));
                let value = self.parameter(&name, &value);
                (self.text(&name), value)
            })
            .collect()
    }

    /// A path with its query, encoded as before. Secret values are replaced by [`MASK`].
    pub fn path(&self, path_and_query: &str) -> String {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        let mut shown = String::with_capacity(path_and_query.len());
        let mut previous = String::new();
        for (index, part) in path.split('/').enumerate() {
            if index > 0 {
                shown.push('/');
            }
            let value = decode_query(part);
            let is_hidden = names::introduces_token(&previous) && patterns::may_be_token(&value);
            let is_hidden = is_hidden || patterns::is_token(&value) || self.text(&value) != value;
            shown.push_str(if is_hidden { MASK } else { part });
            previous = value;
        }
        let Some(query) = query else { return shown };
        for (index, part) in query.split('&').enumerate() {
            shown.push(if index == 0 { '?' } else { '&' });
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (plain_name, plain) = (decode_query(name), decode_query(value));
            shown.push_str(if self.text(&plain_name) == plain_name { name } else { MASK });
            if part.contains('=') {
                let is_hidden = self.parameter(&plain_name, &plain) != plain;
                shown.push('=');
                shown.push_str(if is_hidden { MASK } else { value });
            }
        }
        shown
    }

    /// A body as text; `None` if it is empty. JSON is pretty-printed, with its members in their
    /// order. At most [`SHOWN_BYTES_MAX`] are returned, and [`CUT`] follows them.
    pub fn body(&self, media_type: Option<&str>, body: &[u8]) -> Option<String> {
        if body.is_empty() {
            return None;
        }
        let media_type = media_type.unwrap_or_default().to_ascii_lowercase();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let is_cut = body.len() > READ_BYTES_MAX;
        let text = match str::from_utf8(&body[..body.len().min(READ_BYTES_MAX)]) {
            Ok(text) => text,
            // A character that the cut has divided.
            Err(error) if is_cut && error.error_len().is_none() => {
                str::from_utf8(&body[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return Some(format!("({} bytes that are not text)", body.len())),
        };
        let is_json = essence.ends_with("json") || text.trim_start().starts_with(['{', '[', '"']);
        let value = if is_json && !is_cut { layout::read(text) } else { None };
        let shown = match value {
            Some(value) => layout::pretty(text, &self.json(value)),
            None if essence == "application/x-www-form-urlencoded" => {
                // A form has the encoding of a query.
                self.path(&format!("?{text}")).split_off(1)
            }
            None => self.plain(text),
        };
        Some(cut(shown, is_cut))
    }

    /// A text that is neither JSON nor a form.
    pub(crate) fn plain(&self, text: &str) -> String {
        if self.is_secret_document(text, Place::default()) {
            return MASK.to_owned();
        }
        self.text(text)
    }

    /// The value of a query parameter.
    fn parameter(&self, name: &str, value: &str) -> String {
        let is_token = || patterns::is_token(value) && !names::is_place(name);
        if names::hides_parameter(name, value) || names::grants_access(name, value) || is_token() {
            return MASK.to_owned();
        }
        self.plain(value)
    }

    fn value(&self, value: Value, place: Place<'_>) -> Value {
        match value {
            Value::Object(members) => self.object(members, place),
            Value::Array(values) => self.array(values, place),
            Value::String(text) => Value::String(self.string(text, place)),
            Value::Number(_) if is_hidden(place, Leaf::Number) => Value::String(MASK.to_owned()),
            other => other,
        }
    }

    fn object(&self, mut members: Map<String, Value>, place: Place<'_>) -> Value {
        if members.len() == 1
            && let Some((kind, value)) = members.iter_mut().next()
            && names::is_type(kind)
        {
            // `{"S": "…"}`, an attribute of DynamoDB: the name above it is its name.
            let is_number = kind == "N" && value.as_str().is_some_and(names::is_number);
            let read = value.take();
            *value = if !is_number {
                self.value(read, place)
            } else if is_hidden(place, Leaf::Number) {
                MASK.into()
            } else {
                read
            };
            return Value::Object(members);
        }
        let behind = assigned::secret_placeholders(&members);
        let named = names::secret_name_in(&members);
        let has_headers = names::has_headers(place.name);
        let redacted = members.into_iter().map(|(name, value)| {
            let above = match &*name {
                "value" | "Value" => named.as_deref().or(place.hidden_by),
                _ if names::is_secret(&name) => Some(&*name),
                _ => place.hidden_by,
            };
            let inner = Place { name: &name, parent: place.name, hidden_by: above, ..place };
            let value = match &*name {
                "ExpressionAttributeNames" => self.attribute_names(value, place),
                "ExpressionAttributeValues" => self.attribute_values(value, &behind, place),
                "rawQueryString" if value.is_string() => {
                    let query = value.as_str().unwrap_or_default();
                    self.path(&format!("?{query}")).split_off(1).into()
                }
                _ if has_headers => self.header_member(value, inner),
                _ => self.value(value, inner),
            };
            (self.text(&name), value)
        });
        Value::Object(redacted.collect())
    }

    /// A member that is a header or a parameter: a text, or a list of texts.
    fn header_member(&self, value: Value, place: Place<'_>) -> Value {
        match value {
            Value::String(text) if self.hides_member(place, &text) => MASK.into(),
            Value::Array(values) => {
                values.into_iter().map(|value| self.header_member(value, place)).collect()
            }
            other => self.value(other, place),
        }
    }

    /// The names behind the placeholders of an expression. `#password` names an attribute, and no
    /// secret.
    fn attribute_names(&self, value: Value, place: Place<'_>) -> Value {
        let Value::Object(members) = value else { return self.value(value, place) };
        let place = Place { nested: place.nested, ..Place::default() };
        let members = members.into_iter().map(|(name, value)| (name, self.value(value, place)));
        Value::Object(members.collect())
    }

    /// Whether a header or a parameter of an event is hidden as that of a request.
    fn hides_member(&self, place: Place<'_>, text: &str) -> bool {
        if names::has_parameters(place.parent) {
            self.parameter(place.name, text) == MASK
        } else {
            names::hides_header(place.name, text)
        }
    }

    /// The values behind the placeholders of an expression. `behind` has the names of attributes
    /// that placeholders are compared with or written to.
    fn attribute_values(
        &self,
        value: Value,
        behind: &BTreeMap<String, String>,
        place: Place<'_>,
    ) -> Value {
        let Value::Object(members) = value else { return self.value(value, place) };
        let members = members.into_iter().map(|(name, value)| {
            let attribute = behind.get(&name).unwrap_or(&name);
            let hidden_by =
                if names::is_secret(attribute) { Some(&**attribute) } else { place.hidden_by };
            let inner = Place { name: attribute, parent: place.name, hidden_by, ..place };
            let value = self.value(value, inner);
            (name, value)
        });
        Value::Object(members.collect())
    }

    fn array(&self, values: Vec<Value>, place: Place<'_>) -> Value {
        // `["x-api-key", "…"]`: a header or a parameter as a pair.
        if let [Value::String(name), Value::String(value)] = &values[..]
            && place.hidden_by.is_none()
            && (names::is_secret_header(name) || names::hides(name, "", Leaf::Text(value)))
            && !value.is_empty()
        {
            return Value::Array(vec![Value::String(name.clone()), MASK.into()]);
        }
        Value::Array(values.into_iter().map(|value| self.value(value, place)).collect())
    }

    fn string(&self, text: String, place: Place<'_>) -> String {
        if is_hidden(place, Leaf::Text(&text)) {
            return MASK.to_owned();
        }
        if place.nested < NESTED_MAX
            && text.trim_start().starts_with(['{', '['])
            && let Some(value) = layout::read(&text)
        {
            let inner = Place { nested: place.nested + 1, ..place };
            let redacted = self.value(value, inner);
            return layout::replaced(&text, &redacted).unwrap_or_else(|| redacted.to_string());
        }
        if self.is_secret_document(&text, place) {
            return MASK.to_owned();
        }
        self.text(&text)
    }
}

/// Whether a value is hidden by the names above it.
fn is_hidden(place: Place<'_>, leaf: Leaf<'_>) -> bool {
    match place.hidden_by {
        Some(name) => {
            !leaf.is_empty() && !names::is_about(name, leaf) && !names::is_about(place.name, leaf)
        }
        None => names::hides(place.name, place.parent, leaf),
    }
}

/// The text with [`MASK`] in the place of these ranges, which may overlap.
fn masked(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.retain(|range| !range.is_empty());
    if ranges.is_empty() {
        return text.to_owned();
    }
    ranges.sort_unstable_by_key(|range| range.start);
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for range in ranges {
        if range.start >= end {
            shown.push_str(&text[end..range.start]);
            shown.push_str(MASK);
        }
        end = end.max(range.end);
    }
    shown.push_str(&text[end..]);
    shown
}

fn cut(mut text: String, is_cut: bool) -> String {
    if text.len() > SHOWN_BYTES_MAX {
        text.truncate(text.floor_char_boundary(SHOWN_BYTES_MAX));
    } else if !is_cut {
        return text;
    }
    text.push_str(CUT);
    text
}
