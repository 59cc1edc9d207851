//! Redaction of possible secrets and personal data in bodies. In doubt it removes too much.

use serde_json::Value;

/// The length of the stored part of a body, in bytes.
const KEPT_BYTES: usize = 1024;
/// The replacement for removed text.
const REDACTED: &str = "[redacted]";
/// Parts of the names of secret fields, in lower case.
const SECRETS: [&str; 9] =
    ["token", "secret", "passw", "authorization", "bearer", "basic", "api_key", "apikey", "cookie"];
/// From this length on, a word of letters and digits may be a token.
const TOKEN_CHARACTERS_MIN: usize = 20;

/// The redacted beginning of a body. In JSON the whole value of a field with a secret's name is
/// removed. In any text, the word after such a name is removed, and every word that looks like a
/// token or an e-mail address.
pub(super) fn redacted(body: &[u8]) -> String {
    let mut text = match serde_json::from_slice(body) {
        Ok(json) => in_json(json).to_string(),
        Err(_) => in_text(&String::from_utf8_lossy(body)),
    };
    text.truncate(text.floor_char_boundary(KEPT_BYTES));
    text
}

fn in_json(value: Value) -> Value {
    match value {
        Value::String(text) => in_text(&text).into(),
        Value::Array(values) => values.into_iter().map(in_json).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = if is_secret(&name) { REDACTED.into() } else { in_json(value) };
                (in_text(&name), value)
            })
            .collect(),
        scalar => scalar,
    }
}

fn in_text(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut named = false;
    for piece in text.split_inclusive(|letter| !is_of_word(letter)) {
        let (word, delimiter) = match piece.char_indices().next_back() {
            Some((end, last)) if !is_of_word(last) => piece.split_at(end),
            _ => (piece, ""),
        };
        let hidden = !word.is_empty() && (named || is_token(word) || word.contains('@'));
        kept.push_str(if hidden { REDACTED } else { word });
        kept.push_str(delimiter);
        // Any number of delimiters may stand between a name and its value.
        named = is_secret(word) || (named && word.is_empty());
    }
    kept
}

/// Whether a character can be part of a name, a token or an address.
fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || "-_.+~/@%".contains(letter)
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRETS.iter().any(|secret| name.contains(secret))
}

fn is_token(word: &str) -> bool {
    word.len() >= TOKEN_CHARACTERS_MIN
        && word.contains(char::is_alphabetic)
        && word.contains(|letter: char| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn named_secrets_tokens_and_addresses_are_removed() {
        for (body, kept) in [
            (
                r#"{"code":"P08","access_token":"x y"}"#,
                r#"{"access_token":"[redacted]","code":"P08"}"#,
            ),
            (
                "client_id=store&client_secret=hush&n=1",
                "client_id=store&client_secret=[redacted]&n=1",
            ),
            ("Authorization: Bearer hush", "Authorization: [redacted] [redacted]"),
            ("write to ada@example.com!", "write to [redacted]!"),
            ("see 0197f5a40000700080000000000000aa, please", "see [redacted], please"),
            (r#"{"sku":"SKU-1","name":"Green tea"}"#, r#"{"name":"Green tea","sku":"SKU-1"}"#),
        ] {
            assert_eq!(redacted(body.as_bytes()), kept, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_body_gives_a_short_text_without_an_address(body in prop::collection::vec(any::<u8>(), 0..3000)) {
            let kept = redacted(&body);
            prop_assert!(kept.len() <= KEPT_BYTES && !kept.contains('@'), "{kept}");
        }

        #[test]
        fn a_named_secret_is_removed_at_any_place(
            secret in "[a-z]{6} [a-z0-9]{6,30}",
            name in prop::sample::select(vec!["password", "accessToken", "client_secret", "X-Api_Key"]),
            before in "[ -~]{0,1100}",
            depth in 0_usize..5,
        ) {
            let mut body = json!({ "before": before, name: secret, "after": 1 });
            for _ in 0..depth {
                body = json!([{ "inner": body }]);
            }
            prop_assert!(!redacted(body.to_string().as_bytes()).contains(&secret));
        }

        #[test]
        fn a_token_is_removed_at_any_place(
            token in "[A-Za-z]{9}[0-9][A-Za-z0-9_.~+-]{10,200}",
            before in "[ -~]{0,1100} ",
            after in " [ -~]{0,20}",
        ) {
            let body = format!("{before}{token}{after}");
            prop_assert!(!redacted(body.as_bytes()).contains(&token));
        }
    }
}
