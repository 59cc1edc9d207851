//! Secrets that a text assigns to a name: `password=…`, `"token": "…"`, `secret: Some("…")`. This
//! finds them in logs, in query strings, in Rust's debug output, and in JSON that was cut.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value};

use super::names::{self, Leaf};

/// The maximum bytes of a name that is looked for before a separator.
const NAME_BYTES_MAX: usize = 100;

/// The maximum bytes of a value that may be a number, a time or a word.
const SHORT_BYTES_MAX: usize = 64;

/// The maximum bytes of a header: that of API Gateway, and so of the search for its end.
const HEADER_BYTES_MAX: usize = 10_240;

/// Words after `password:` that begin a sentence, and are no password.
const PROSE: [&str; 37] = [
    "a", "an", "and", "are", "at", "by", "cannot", "could", "does", "expected", "expired", "false",
    "for", "has", "have", "in", "invalid", "is", "may", "missing", "must", "needs", "no", "none",
    "not", "null", "of", "required", "requires", "should", "the", "this", "too", "true", "unknown",
    "was", "wrong",
];

/// Expressions of DynamoDB.
const EXPRESSIONS: [&str; 4] =
    ["UpdateExpression", "ConditionExpression", "KeyConditionExpression", "FilterExpression"];

/// Words of these expressions that are no attributes.
const KEYWORDS: [&str; 9] = ["SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"];

/// The places of secret values in a text.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = bytes[at..].iter().position(|it| matches!(it, b':' | b'=')) {
        let separator = at + offset;
        at = separator + 1;
        let rest = &bytes[separator..];
        if rest.starts_with(b"::") || rest.starts_with(b"://") {
            at += 1;
            continue;
        }
        let name = name_before(text, separator);
        if !(names::is_secret(name) || is_of_code(name)) || names::is_label(name) {
            continue;
        }
        if let Some(range) = value_after(text, separator, name) {
            at = range.end.max(at);
            found.push(range);
        }
    }
    found
}

/// The names of attributes behind the placeholders of an update or a condition, by placeholder:
/// `{":h": "passwordHash"}` for `SET #p = :h`.
pub(super) fn secret_placeholders(members: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut behind = BTreeMap::new();
    if !members.contains_key("ExpressionAttributeValues") {
        return behind;
    }
    let attributes = members.get("ExpressionAttributeNames");
    let resolved = |token: &str| {
        let parts = token.split('.').map(|part| {
            let attribute = attributes.and_then(|all| all.get(part)).and_then(Value::as_str);
            attribute.unwrap_or(part)
        });
        parts.collect::<Vec<_>>().join(".")
    };
    for expression in EXPRESSIONS {
        let expression = members.get(expression).and_then(Value::as_str).unwrap_or_default();
        let mut attribute = String::new();
        for (token, is_function) in tokens(expression) {
            if token.starts_with(':') {
                if names::is_secret(&attribute) {
                    behind.insert(token.to_owned(), attribute.clone());
                }
            } else if !is_function && !KEYWORDS.iter().any(|it| it.eq_ignore_ascii_case(token)) {
                attribute = resolved(token);
            }
        }
    }
    behind
}

/// The names, placeholders and functions of an expression, and whether each is a function.
fn tokens(expression: &str) -> impl Iterator<Item = (&str, bool)> {
    let is_of_token =
        |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '#' | ':' | '.' | '-');
    let mut rest = expression;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|it| !is_of_token(it));
        let end = rest.find(|it| !is_of_token(it)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        rest = after;
        (!token.is_empty()).then(|| (token, after.trim_start().starts_with('(')))
    })
}

/// The name that ends before a separator: a quoted text, or a word.
fn name_before(text: &str, separator: usize) -> &str {
    let from = text.floor_char_boundary(separator.saturating_sub(NAME_BYTES_MAX));
    let before = text[from..separator].trim_end();
    if let Some(quote) = before.chars().last().filter(|it| matches!(it, '"' | '\'')) {
        let inner = before[..before.len() - 1].trim_end_matches('\\');
        return &inner[inner.rfind(quote).map_or(0, |at| at + 1)..];
    }
    // The last character of a name is directly before `=` or `:`, or before a space and `=`.
    let is_of_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.' | '#');
    let begins = before
        .rfind(|it| !is_of_name(it))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    &before[begins..]
}

/// Whether a name may be that of a code that was sent to a person, such as `verificationCode`.
fn is_of_code(name: &str) -> bool {
    let end = name.len().checked_sub(4).and_then(|from| name.get(from..));
    end.is_some_and(|end| end.eq_ignore_ascii_case("code"))
}

/// The secret value after a separator.
fn value_after(text: &str, separator: usize, name: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    // `name => value`, `name := value`
    let signs = bytes[separator + 1..].iter().take(2).take_while(|it| matches!(it, b'=' | b'>'));
    let after = separator + 1 + signs.count();
    let spaces = bytes[after..].iter().take_while(|it| matches!(it, b' ' | b'\t' | b'\n' | b'\r'));
    let start = after + spaces.count();
    let slashes = bytes[start..].iter().take_while(|it| matches!(it, b'\\')).count();
    let is_code = is_of_code(name) && !names::is_secret(name);
    match *bytes.get(start + slashes)? {
        quote @ (b'"' | b'\'') => {
            let inner = start + slashes + 1;
            let end = quoted_end(bytes, inner, quote, slashes);
            hides(name, &text[inner..end]).then_some(inner..end)
        }
        b'{' | b'[' | b'(' if !is_code => Some(start..bracket_end(bytes, start)),
        _ => {
            let is_next_line = bytes[after..start].contains(&b'\n');
            unquoted(text, start, separator, name).filter(|range| {
                let value = &text[range.clone()];
                !is_next_line || value.len() >= 16 || value.contains(|it: char| it.is_ascii_digit())
            })
        }
    }
}

/// A value without quotes: to the next space or punctuation. `Some("…")` ends with its bracket.
fn unquoted(text: &str, start: usize, separator: usize, name: &str) -> Option<Range<usize>> {
    let is_end = |it: char| {
        it.is_whitespace()
            || matches!(it, '&' | ',' | ';' | '"' | '\'' | '}' | ']' | ')' | '<' | '>' | '\\' | '(')
    };
    let window = text.floor_char_boundary(start + SHORT_BYTES_MAX);
    let Some(length) =
        text[start..window].find(is_end).or((window == text.len()).then_some(window - start))
    else {
        // Neither a number nor a time is that long.
        let end = text[start..].find(is_end).map_or(text.len(), |length| start + length);
        return hides(name, &text[start..end]).then_some(start..end);
    };
    let end = start + length;
    let value = &text[start..end];
    if value.is_empty() || value.starts_with([':', '#', '•']) {
        // A placeholder of an expression, or a value that is hidden already.
        return None;
    }
    // `Some("…")`, `Secret { value: "…" }`
    let is_type = value.starts_with(|it: char| it.is_ascii_uppercase());
    let bracket = end + usize::from(is_type && text[end..].starts_with(" {"));
    if text[bracket..].starts_with(['(', '{']) {
        return Some(start..bracket_end(text.as_bytes(), bracket));
    }
    let is_colon = text.as_bytes()[separator] == b':';
    if is_colon && is_part_of_arn(text, separator) {
        return None;
    }
    let word = value.trim_end_matches(['.', '!', '?']).to_ascii_lowercase();
    let is_prose = PROSE.contains(&&*word);
    if is_colon && names::is_stage(name) {
        return header(text, start, value.len());
    }
    (!is_prose && hides(name, value)).then_some(start..end)
}

/// The value of a header such as `authorization` or `cookie` in a text, to the end of its
/// credentials. `authorization: forbidden` is about a stage: credentials have a digit or a sign, or
/// are long, in their first or second word.
fn header(text: &str, start: usize, first: usize) -> Option<Range<usize>> {
    let is_token =
        |word: &str| word.len() >= 16 || word.contains(|it: char| it.is_ascii_digit() || it == '=');
    let is_end = |it: char| matches!(it, '\n' | '\r' | '"' | '\'' | '\\');
    let line = &text[start..text.floor_char_boundary(start + HEADER_BYTES_MAX)];
    let line = &line[..line.find(is_end).unwrap_or(line.len())];
    let value = &line[..first.min(line.len())];
    if names::is_number(value) {
        return None;
    }
    if value.contains('=') || line[value.len()..].starts_with(';') {
        // Pairs, as in `cookie`.
        return Some(start..start + line.len());
    }
    if is_token(value) {
        return Some(start..start + value.len());
    }
    let rest = &line[value.len()..];
    let second = rest.trim_start();
    let second = &second[..second.find(char::is_whitespace).unwrap_or(second.len())];
    let end = start + line.len() - rest.trim_start().len() + second.len();
    is_token(second).then_some(start..end)
}

/// Whether the value of a name is hidden. A number may be a count.
fn hides(name: &str, value: &str) -> bool {
    let is_number = names::is_number(value);
    names::hides(name, "", Leaf::Text(value))
        && (!is_number || !names::is_secret(name) || names::hides(name, "", Leaf::Number))
}

/// Whether a colon is one of an ARN, such as `arn:aws:secretsmanager:…:secret:keys`.
fn is_part_of_arn(text: &str, colon: usize) -> bool {
    let from = text.floor_char_boundary(colon.saturating_sub(200));
    let before = &text[from..colon];
    let is_of_arn =
        |it: char| it.is_ascii_alphanumeric() || matches!(it, ':' | '-' | '_' | '/' | '*');
    let begins = before
        .rfind(|it| !is_of_arn(it))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    before[begins..].starts_with("arn:")
}

/// The end of a quoted text, before its quote. In a text that is quoted again, each quote has
/// backslashes: one in the first level, three in the second.
fn quoted_end(bytes: &[u8], start: usize, quote: u8, slashes: usize) -> usize {
    let level = (slashes + 1).ilog2();
    let (period, remainder) = (2_usize << level, (1_usize << level) - 1);
    let mut run = 0;
    for (offset, &byte) in bytes[start..].iter().enumerate() {
        if byte == b'\\' {
            run += 1;
        } else if byte == quote && run % period == remainder {
            return start + offset - remainder;
        } else if byte == b'\n' && quote == b'\'' {
            // An apostrophe, and no quote.
            return start + offset;
        } else {
            run = 0;
        }
    }
    bytes.len()
}

/// The end of a bracketed text, after its bracket; the end of the text if it was cut.
fn bracket_end(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut at) = (0_usize, start);
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b'"' => {
                let slashes = bytes[..at].iter().rev().take_while(|&&it| it == b'\\').count();
                // Beyond the backslashes before the closing quote.
                at = quoted_end(bytes, at + 1, b'"', slashes);
                while bytes.get(at) == Some(&b'\\') {
                    at += 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}
