//! Claims by their configured name.

use lifecycle::Claims;
use serde_json::Value;

/// A claim by its name, or by a JSON Pointer into the claims.
pub(super) fn named<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    let Some(pointer) = name.strip_prefix('/') else { return claims.get(name) };
    let (first, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
    let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
    claims.get(first)?.pointer(&rest)
}
