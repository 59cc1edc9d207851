//! Edited parts of a request. A person edits the redacted text: a value that is still hidden gets
//! its original.

use std::sync::Arc;

use bytes::Bytes;
use sam_template::percent::decode_query;
use serde_json::Value;

use super::super::reading::refused;
use crate::activity::redaction::{CUT, MASK, Redaction, layout};
use crate::control::ControlError;

/// A header or a parameter: name and value.
type Pair = (String, String);

/// The edited body with its hidden values.
///
/// # Errors
/// If a hidden value has no original, or the body was cut.
pub(super) fn body(
    redaction: &Arc<Redaction>,
    original: &Bytes,
    edited: &str,
) -> Result<Bytes, ControlError> {
    if edited.ends_with(CUT) {
        return Err(refused("body: it was cut, because it is long; it can only be sent unchanged"));
    }
    if !edited.contains(MASK) {
        // As it was typed, also if it is invalid.
        return Ok(Bytes::from(edited.to_owned()));
    }
    // The media type matters only for forms, whose texts have no other form.
    let is_unchanged = [None, Some("application/x-www-form-urlencoded")]
        .into_iter()
        .any(|media_type| redaction.body(media_type, original).as_deref() == Some(edited));
    if is_unchanged {
        return Ok(original.clone());
    }
    if let Some(mut document) = layout::read(edited) {
        let values = str::from_utf8(original).ok().and_then(layout::read);
        restore(redaction, &mut document, values.as_ref(), "")?;
        // All else is sent as it was typed. No name has changed.
        let restored = layout::replaced(edited, &document);
        return Ok(Bytes::from(restored.unwrap_or_else(|| document.to_string())));
    }
    if let Ok(original) = str::from_utf8(original)
        && edited.contains('=')
        && !edited.contains(char::is_whitespace)
    {
        return Ok(Bytes::from(parameters(original, edited, "body")?));
    }
    Err(refused("body: it has hidden values and is not JSON; put all values in"))
}

/// The edited path and query with their hidden values.
///
/// # Errors
/// If a hidden value has no original, or the path does not begin with a slash.
pub(super) fn path(
    redaction: &Arc<Redaction>,
    original: &str,
    edited: &str,
) -> Result<String, ControlError> {
    if !edited.starts_with('/') {
        return Err(refused("path: it begins with a slash"));
    }
    if edited == redaction.path(original) {
        return Ok(original.to_owned());
    }
    let (path, query) = edited.split_once('?').unwrap_or((edited, ""));
    let (original_path, original_query) = original.split_once('?').unwrap_or((original, ""));
    let mut originals = original_path.split('/');
    let parts = path.split('/').map(|part| {
        let original = originals.next();
        if is_hidden(part) { original.ok_or_else(|| no_original("path")) } else { Ok(part) }
    });
    let mut whole = parts.collect::<Result<Vec<_>, _>>()?.join("/");
    if edited.contains('?') {
        whole.push('?');
        whole.push_str(&parameters(original_query, query, "path")?);
    }
    Ok(whole)
}

/// The edited headers with their hidden values.
///
/// # Errors
/// If a hidden value has no original.
pub(super) fn headers(
    redaction: &Arc<Redaction>,
    original: &[Pair],
    edited: &[Pair],
) -> Result<Vec<Pair>, ControlError> {
    // The nth header of a name gets the value of the nth original of this name.
    let mut used = vec![false; original.len()];
    let restored = edited.iter().map(|(name, value)| {
        let found = original.iter().enumerate().position(|(index, (known, value_of))| {
            !used[index]
                && known.eq_ignore_ascii_case(name)
                && (!value.contains(MASK) || redaction.header(known, value_of) == *value)
        });
        if let Some(index) = found {
            used[index] = true;
        }
        match found {
            _ if !value.contains(MASK) => Ok((name.clone(), value.clone())),
            Some(index) => Ok((name.clone(), original[index].1.clone())),
            None => Err(no_original(&format!("headers: {name:.80}"))),
        }
    });
    restored.collect()
}

/// Puts the original values in the place of hidden ones, by their places in the document.
fn restore(
    redaction: &Arc<Redaction>,
    edited: &mut Value,
    original: Option<&Value>,
    place: &str,
) -> Result<(), ControlError> {
    match edited {
        Value::Object(members) => {
            for (name, value) in members {
                let original = original.and_then(|original| original.get(name));
                restore(redaction, value, original, &format!("{place}/{name}"))?;
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter_mut().enumerate() {
                let original = original.and_then(|original| original.get(index));
                restore(redaction, value, original, &format!("{place}/{index}"))?;
            }
        }
        Value::String(text) if text.contains(MASK) => {
            // A value that is hidden is a single one: a list has those of a repeated member.
            let whole = original.filter(|it| !it.is_array() && !it.is_object());
            let whole = whole.ok_or_else(|| no_original(&format!("body: {place}")))?;
            let is_whole = text == MASK;
            let shown = redaction.json(whole.clone());
            if !is_whole && shown.as_str() != Some(text.as_str()) {
                let reason = "a part of the text is hidden; replace all of it, or none";
                return Err(refused(format!("body: {place}: {reason}")));
            }
            *edited = whole.clone();
        }
        _ => {}
    }
    Ok(())
}

/// Edited parameters, each hidden value by its name: the nth of a name gets the nth original.
fn parameters(original: &str, edited: &str, place: &str) -> Result<String, ControlError> {
    let name_of = |part: &str| decode_query(part.split('=').next().unwrap_or_default());
    let mut originals: Vec<&str> = original.split('&').collect();
    let parts = edited.split('&').map(|part| {
        let name = name_of(part);
        let found = originals.iter().position(|known| name_of(known) == name);
        let known = found.map(|index| originals.remove(index));
        let value = part.split_once('=').map_or("", |(_, value)| value);
        if is_hidden(value) {
            known.ok_or_else(|| no_original(&format!("{place}: {name:.80}")))
        } else {
            Ok(part)
        }
    });
    Ok(parts.collect::<Result<Vec<_>, _>>()?.join("&"))
}

/// Whether a part of a path or a query is hidden. A browser may have encoded it.
fn is_hidden(part: &str) -> bool {
    decode_query(part) == MASK
}

fn no_original(place: &str) -> ControlError {
    refused(format!("{place}: the hidden value {MASK} has no original here; put the value in"))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use serde_json::json;

    use super::*;

    fn redaction() -> Arc<Redaction> {
        Arc::new(Redaction::new())
    }

    fn edited_body(original: &str, edited: &str) -> Result<String, StatusCode> {
        let body = body(&redaction(), &Bytes::from(original.to_owned()), edited);
        let body = body.map_err(|error| error.into_response().status())?;
        Ok(String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn hidden_members_of_an_edited_body_get_their_original_values() {
        let original =
            r#"{"email":"a@example.com","password":"hush-hush","list":[{"token":"t1"}]}"#;
        let edited = json!({
            "email": "b@example.com", "password": MASK, "list": [{"token": MASK, "n": 1}],
        });
        let sent: Value =
            serde_json::from_str(&edited_body(original, &edited.to_string()).unwrap()).unwrap();
        let expected = json!({
            "email": "b@example.com", "password": "hush-hush", "list": [{"token": "t1", "n": 1}],
        });
        assert_eq!(sent, expected);
    }

    #[test]
    fn a_body_without_hidden_values_is_sent_as_typed() {
        for edited in ["{\"a\": 1,}", "", "no JSON", "{ \"b\" : 1.50 }"] {
            assert_eq!(edited_body("{}", edited).unwrap(), edited);
        }
    }

    #[test]
    fn all_but_the_hidden_members_of_an_edited_body_is_sent_as_typed() {
        let original = r#"{"token":"hush-1","n":1,"token":"hush-2"}"#;
        let edited = r#"{ "token": "•••", "n": 123456789012345678901, "token":"•••" }"#;
        let sent = r#"{ "token": "hush-1", "n": 123456789012345678901, "token":"hush-2" }"#;
        assert_eq!(edited_body(original, edited).unwrap(), sent);
    }

    #[test]
    fn an_unedited_body_is_sent_with_its_original_bytes() {
        let original = "{ \"password\" : \"hush-hush\", \"n\" : 1.50 }";
        let shown = redaction().body(None, original.as_bytes()).unwrap();
        assert!(!shown.contains("hush"), "{shown}");
        assert_eq!(edited_body(original, &shown).unwrap(), original);
        let form = "user=ada&password=hush-hush";
        assert_eq!(
            edited_body(form, "user=bob&password=•••").unwrap(),
            "user=bob&password=hush-hush"
        );
    }

    #[test]
    fn a_hidden_value_without_an_original_is_400() {
        for (original, edited) in [
            ("{}", "{\"password\":\"•••\"}"),
            ("", "{\"password\":\"•••\"}"),
            ("{\"text\":\"token=abc123 x\"}", "{\"text\":\"token=••• y\"}"),
            ("{\"password\":\"a\"}", "password •••"),
            ("{}", "{} \n… (cut)"),
            ("a=1", "password=•••"),
            ("{\"password\":\"a\",\"password\":\"b\"}", "{\"password\":\"•••\"}"),
        ] {
            assert_eq!(edited_body(original, edited), Err(StatusCode::BAD_REQUEST), "{edited}");
        }
    }

    #[test]
    fn hidden_parts_of_a_path_and_of_headers_get_their_originals() {
        let original = "/resets/3q2-7wAB9xYz01KlmnOPqr45/x?token=a%20b&page=1&token=c";
        let edited = "/resets/%E2%80%A2%E2%80%A2%E2%80%A2/x?page=2&token=•••&token=•••";
        let restored = path(&redaction(), original, edited).ok().unwrap();
        assert_eq!(restored, "/resets/3q2-7wAB9xYz01KlmnOPqr45/x?page=2&token=a%20b&token=c");
        assert!(path(&redaction(), "/a", "/b?token=•••").is_err());
        assert!(path(&redaction(), "/a", "b").is_err());

        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let known = [pair("authorization", "Bearer abcdef"), pair("accept", "*/*")];
        let edited = [pair("Authorization", MASK), pair("accept", "text/html")];
        let restored = headers(&redaction(), &known, &edited).ok().unwrap();
        assert_eq!(restored, [pair("Authorization", "Bearer abcdef"), pair("accept", "text/html")]);
        assert!(headers(&redaction(), &known, &[pair("cookie", MASK)]).is_err());
    }
}
