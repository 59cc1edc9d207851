//! A JSON body into a type, with every violation and its JSON Pointer (RFC 6901).

use eserde::path::{Path, Segment};
use eserde::reporter::ErrorReporter;
use serde::de::IgnoredAny;

use super::strict::{self, Strict};
use super::{Readable, wording};
use crate::failure::Violations;

/// Reads a body.
///
/// A body that is right is read once. One that is not is read a second time, by a reader that
/// does not stop at the first violation.
pub(super) fn read<T: Readable>(body: &[u8]) -> Result<T, Violations> {
    if body.is_empty() {
        return Err(Violations::one("", "a JSON body is required"));
    }
    let mut unknown = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = {
        let mut note = |path: serde_ignored::Path<'_>| unknown.push(pointer_of_ignored(&path));
        T::deserialize(Strict(serde_ignored::Deserializer::new(&mut reader, &mut note)))
    };
    match read.and_then(|value| reader.end().map(|()| value)) {
        Ok(value) if unknown.is_empty() => Ok(value),
        Ok(_) => Err(unknown_fields(unknown)),
        Err(_) => Err(not_json(body).unwrap_or_else(|| every_violation::<T>(body))),
    }
}

/// The one violation of a body that is not JSON at all.
fn not_json(body: &[u8]) -> Option<Violations> {
    let error = serde_json::from_slice::<IgnoredAny>(body).err()?;
    Some(Violations::one("", format!("the body is not valid JSON: {error}")))
}

fn every_violation<T: Readable>(body: &[u8]) -> Violations {
    if let Some(array) = array_for_an_object::<T>(body) {
        return array;
    }
    let mut violations = unknown_fields(every_unknown_field::<T>(body));
    let errors = eserde::json::from_slice::<T>(body).err();
    for error in errors.iter().flat_map(eserde::DeserializationErrors::iter) {
        let at = error.path().map(pointer_of).unwrap_or_default();
        match wording::missing_field::<T>(error.message()) {
            Some(field) => violations.add(format!("{at}/{}", escaped(&field)), "is required"),
            None => violations.add(at, wording::without_position(error.message())),
        }
    }
    violations
}

/// `eserde` would take an array's items for the fields of an object, and complain of those. Where
/// [`Strict`] meets an array, that is the one thing to be told.
fn array_for_an_object<T: Readable>(body: &[u8]) -> Option<Violations> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let error = serde_path_to_error::deserialize::<_, T>(Strict(&mut reader)).err()?;
    let pointer = pointer_of_first(error.path());
    let message = error.into_inner().to_string();
    let message = wording::without_position(&message);
    message.ends_with(strict::OBJECT).then(|| Violations::one(pointer, message))
}

/// `eserde` reads on behind a violation, and so meets every field; what it finds wrong of the
/// others is of no interest here.
fn every_unknown_field<T: Readable>(body: &[u8]) -> Vec<String> {
    let mut unknown = Vec::new();
    let _collecting = ErrorReporter::start_deserialization();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let mut note = |path: serde_ignored::Path<'_>| unknown.push(pointer_of_ignored(&path));
    let _ = T::deserialize_for_errors(serde_ignored::Deserializer::new(&mut reader, &mut note));
    unknown
}

fn unknown_fields(pointers: Vec<String>) -> Violations {
    let mut violations = Violations::none();
    for pointer in pointers {
        violations.add(pointer, "is not a known field");
    }
    violations
}

fn pointer_of(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escaped(key)),
            Segment::Enum { .. } => String::new(),
        })
        .collect()
}

fn pointer_of_first(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment as S;
    path.iter()
        .map(|segment| match segment {
            S::Seq { index } => format!("/{index}"),
            S::Map { key } => format!("/{}", escaped(key)),
            S::Enum { .. } | S::Unknown => String::new(),
        })
        .collect()
}

fn pointer_of_ignored(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path as P;
    match path {
        P::Root => String::new(),
        P::Seq { parent, index } => format!("{}/{index}", pointer_of_ignored(parent)),
        P::Map { parent, key } => format!("{}/{}", pointer_of_ignored(parent), escaped(key)),
        P::Some { parent } | P::NewtypeStruct { parent } | P::NewtypeVariant { parent } => {
            pointer_of_ignored(parent)
        }
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use super::*;

    #[derive(Debug, eserde::Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    struct Order {
        #[serde(default)]
        order_id: Option<String>,
        items: Vec<Item>,
        payment_method: Method,
    }

    #[derive(Debug, eserde::Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    struct Item {
        product_id: String,
        quantity: Quantity,
    }

    #[derive(Debug, eserde::Deserialize, JsonSchema)]
    #[serde(rename_all = "UPPERCASE")]
    enum Method {
        Card,
        Cash,
    }

    #[derive(Debug)]
    struct Quantity(u8);

    impl TryFrom<u8> for Quantity {
        type Error = &'static str;

        fn try_from(raw: u8) -> Result<Self, Self::Error> {
            if (1..=99).contains(&raw) { Ok(Self(raw)) } else { Err("must be from 1 to 99") }
        }
    }

    crate::checked!(Quantity, u8, { "type": "integer", "minimum": 1, "maximum": 99 });

    fn violations(body: &str) -> Vec<(String, String)> {
        let violations = read::<Order>(body.as_bytes()).expect_err(body);
        let details = violations.into_details();
        details.into_iter().map(|violation| (violation.field, violation.message)).collect()
    }

    #[test]
    fn a_body_that_is_right_is_read() {
        let body = r#"{"items":[{"productId":"p","quantity":3}],"paymentMethod":"CARD"}"#;
        let order = read::<Order>(body.as_bytes()).unwrap();
        assert_eq!((order.order_id, order.items[0].quantity.0), (None, 3));
        assert_eq!(order.items[0].product_id, "p");
        assert!(matches!(order.payment_method, Method::Card));
    }

    #[test]
    fn every_violation_is_found_at_once_and_named_by_its_pointer() {
        let body = r#"{"items":[{"productId":7,"quantity":"3","a/b":1},{"quantity":100}],
            "paymentMethod":"GOLD","extra":null}"#;
        let found = violations(body);
        let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
        let expected = [
            "/extra",
            "/items/0/a~1b",
            "/items/0/productId",
            "/items/0/quantity",
            "/items/1/productId",
            "/items/1/quantity",
            "/paymentMethod",
        ];
        assert_eq!(fields, expected, "{found:?}");
        assert_eq!(found[4].1, "is required");
        assert_eq!(found[5].1, "must be from 1 to 99");
    }

    #[test]
    fn an_array_is_not_taken_for_an_object() {
        let body = r#"{"items":[["p",3]],"paymentMethod":"CARD"}"#;
        let expected = "invalid type: sequence, expected an object";
        assert_eq!(violations(body), [("/items/0".to_owned(), expected.to_owned())]);
        assert_eq!(violations(r#"[null,[],"CARD"]"#)[0].0, "");
    }

    #[test]
    fn a_missing_field_is_named_as_on_the_wire() {
        let expected = [("/items", "is required"), ("/paymentMethod", "is required")];
        let found = violations("{}");
        assert!(found.iter().map(|(f, m)| (f.as_str(), m.as_str())).eq(expected), "{found:?}");
    }

    #[test]
    fn what_is_not_json_is_one_violation_of_the_whole_body() {
        for body in ["{", "[1,2", "{} {}", "\u{feff}{}", "nul", "{\"items\":[}"] {
            let found = violations(body);
            assert_eq!(found.len(), 1, "{body}: {found:?}");
            assert_eq!(found[0].0, "", "{body}");
        }
        for body in ["[]", "[1]", "null", "7", "\"text\""] {
            assert_eq!(violations(body)[0].0, "", "{body}");
        }
    }
}
