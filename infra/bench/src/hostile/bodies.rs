//! Bodies of a given length that are as expensive to reject as possible.

use serde_json::Value;

/// A kind of body, made from a valid one and the maximum length.
pub(super) struct Body {
    pub(super) what: &'static str,
    pub(super) make: fn(&Value, usize) -> String,
}

pub(super) const BODIES: [Body; 17] = [
    body("an array of `{}`", |_, length| filled("[", "{}", "]", length)),
    body("each field an array of `{}`", |valid, length| each_field(valid, length, "{}")),
    body("each field an array of numbers", |valid, length| each_field(valid, length, "0")),
    body("each field an array of texts", |valid, length| each_field(valid, length, "\"\"")),
    body("unknown fields", |valid, length| {
        numbered(valid, length, |number| format!("\"x{number}\":0"))
    }),
    body("unknown fields by escapes", |valid, length| {
        numbered(valid, length, |number| format!("\"\\u0001{number}\":{{}}"))
    }),
    body("a field repeated", |valid, length| {
        let name = names(valid).next().unwrap_or_default();
        numbered(valid, length, |_| format!("\"{name}\":0"))
    }),
    body("a field repeated in its element", |valid, length| {
        let field = element_name(valid);
        let open = format!("{{\"{}\":[{{", array_name(valid));
        filled(&open, &format!("\"{field}\":0"), "}]}", length)
    }),
    body("nested arrays", |valid, length| nested(valid, length, "[", "]")),
    body("nested objects", |valid, length| nested(valid, length, "{\"a\":", "}")),
    body("arrays that never end", |_, length| "[".repeat(length)),
    body("a long number", |valid, length| in_first(valid, length, "9")),
    body("a long fraction", |valid, length| {
        let name = number_name(valid);
        filled_with(&format!("{{\"{name}\":0."), "0", "1}", length)
    }),
    body("a long exponent", |valid, length| {
        let name = number_name(valid);
        filled_with(&format!("{{\"{name}\":1e"), "9", "}", length)
    }),
    body("a long text of escapes", |valid, length| text(valid, length, "\\u0061")),
    body("halves of surrogate pairs", |valid, length| text(valid, length, "\\ud800")),
    body("a long name", |_, length| filled_with("{\"", "\\u0041", "\":0}", length)),
];

const fn body(what: &'static str, make: fn(&Value, usize) -> String) -> Body {
    Body { what, make }
}

/// Elements separated by commas, padded with spaces to the length.
fn filled(open: &str, element: &str, close: &str, length: usize) -> String {
    let count = (length - open.len() - close.len() + 1) / (element.len() + 1);
    padded(format!("{open}{}{close}", vec![element; count.max(1)].join(",")), length)
}

/// Pieces without separators.
fn filled_with(open: &str, piece: &str, close: &str, length: usize) -> String {
    let count = (length - open.len() - close.len()) / piece.len();
    padded(format!("{open}{}{close}", piece.repeat(count)), length)
}

fn padded(mut body: String, length: usize) -> String {
    body.extend(std::iter::repeat_n(' ', length.saturating_sub(body.len())));
    body
}

/// The valid body's fields, each with an array of this element, all with the same length.
fn each_field(valid: &Value, length: usize, element: &str) -> String {
    let share = (length - 2) / names(valid).count().max(1);
    let field = |name: &str| filled(&format!("\"{name}\":["), element, "]", share - 1);
    padded(format!("{{{}}}", names(valid).map(field).collect::<Vec<_>>().join(",")), length)
}

/// The valid body with further fields.
fn numbered(valid: &Value, length: usize, field: impl Fn(usize) -> String) -> String {
    let mut body = valid.to_string();
    body.pop();
    for number in 0.. {
        let next = field(number);
        if body.len() + next.len() + 2 > length {
            break;
        }
        body.push(',');
        body.push_str(&next);
    }
    body.push('}');
    padded(body, length)
}

fn nested(valid: &Value, length: usize, open: &str, close: &str) -> String {
    let name = names(valid).next().unwrap_or_default();
    let depth = (length - name.len() - 6) / (open.len() + close.len());
    let value = format!("{}0{}", open.repeat(depth), close.repeat(depth));
    padded(format!("{{\"{name}\":{value}}}"), length)
}

fn in_first(valid: &Value, length: usize, digit: &str) -> String {
    filled_with(&format!("{{\"{}\":", number_name(valid)), digit, "}", length)
}

fn text(valid: &Value, length: usize, character: &str) -> String {
    let texts = fields(valid).find(|(_, value)| value.is_string());
    let name = texts.map_or_else(|| "text".to_owned(), |(name, _)| name.clone());
    filled_with(&format!("{{\"{name}\":\""), character, "\"}", length)
}

fn fields(valid: &Value) -> impl Iterator<Item = (&String, &Value)> {
    valid.as_object().into_iter().flatten()
}

fn names(valid: &Value) -> impl Iterator<Item = &str> {
    fields(valid).map(|(name, _)| name.as_str())
}

/// A numeric field, or else the first one.
fn number_name(valid: &Value) -> &str {
    let numbers = fields(valid).find(|(_, value)| value.is_number());
    numbers.map(|(name, _)| name.as_str()).or_else(|| names(valid).next()).unwrap_or_default()
}

/// An array field, or else the first one.
fn array_name(valid: &Value) -> &str {
    let arrays = fields(valid).find(|(_, value)| value.is_array());
    arrays.map(|(name, _)| name.as_str()).or_else(|| names(valid).next()).unwrap_or_default()
}

/// A field of that array's elements.
fn element_name(valid: &Value) -> &str {
    let element = &valid[array_name(valid)][0];
    names(element).next().unwrap_or("x")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_body_has_its_length_and_is_json_unless_unterminated() {
        for valid in [
            json!({ "items": [{ "productId": "p", "quantity": 2 }], "paymentMethod": "CARD" }),
            json!({ "object_ids": [1] }),
            json!({ "stock": 3 }),
        ] {
            for Body { what, make } in &BODIES {
                let body = make(&valid, 4096);
                assert!((4096 - 64..=4096).contains(&body.len()), "{what}: {}", body.len());
                let deep = what.starts_with("nested");
                let odd = what.starts_with("halves")
                    || what.starts_with("a long number")
                    || what.starts_with("a long exponent");
                if !deep && !odd {
                    let read = serde_json::from_str::<Value>(&body);
                    assert_eq!(read.is_ok(), !what.contains("never end"), "{what}: {body}");
                }
            }
        }
    }
}
