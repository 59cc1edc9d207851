//! Claims by their configured name.

use lifecycle::Claims;
use serde_json::Value;

/// A claim by its name, or by a JSON Pointer into the claims (RFC 6901).
pub(super) fn named<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    let Some(pointer) = name.strip_prefix('/') else { return claims.get(name) };
    let (first, rest) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
    // In this order: `~01` is `~1`.
    let first = first.replace("~1", "/").replace("~0", "~");
    claims.get(&first)?.pointer(rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_found_by_its_name_or_by_a_pointer_whose_tokens_are_escaped() {
        let claims = Claims::from_iter([
            ("cognito:groups".to_owned(), json!("by its name")),
            ("realm_access".to_owned(), json!({ "roles": "inside", "a/b": "escaped inside" })),
            ("https://app.example/meta".to_owned(), json!({ "roles": "escaped", "": "empty" })),
            ("~1".to_owned(), json!("a tilde and a one")),
        ]);
        for (name, value) in [
            ("cognito:groups", Some("by its name")),
            ("/cognito:groups", Some("by its name")),
            ("/realm_access/roles", Some("inside")),
            ("/realm_access/a~1b", Some("escaped inside")),
            ("/https:~1~1app.example~1meta/roles", Some("escaped")),
            ("/https:~1~1app.example~1meta/", Some("empty")),
            ("/~01", Some("a tilde and a one")),
            ("/https://app.example/meta/roles", None),
            ("/realm_access/none", None),
            ("realm_access/roles", None),
        ] {
            assert_eq!(named(&claims, name).and_then(Value::as_str), value, "{name}");
        }
    }
}
