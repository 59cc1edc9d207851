//! Entity tags: which version of a resource a client has, or means (RFC 9110, 8.8.3).

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::hash::short_hash_of;

/// A strong entity tag: `"7"`.
///
/// The tag that the reply to a `GET` carries and the one that `If-Match` is compared with must be
/// made from the same thing; a resource that counts its versions has it from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(pub(crate) HeaderValue);

impl EntityTag {
    /// The tag of one version of a resource.
    pub fn of_version(version: u64) -> Self {
        Self::quoted(&version.to_string())
    }

    /// The tag of a body: the first half of its SHA-256.
    pub(crate) fn of_body(body: &str) -> Self {
        Self::quoted(&short_hash_of([body.as_bytes()]))
    }

    /// Whether a change may go on: there is no `If-Match`, or it names this tag. A weak tag names
    /// no version that could be changed (RFC 9110, 13.1.1).
    pub(crate) fn allows_change(&self, headers: &HeaderMap) -> bool {
        !headers.contains_key(IF_MATCH) || self.is_listed(headers, &IF_MATCH, Comparison::Strong)
    }

    /// Whether the client has what the tag stands for: `If-None-Match` names it, be it as a weak
    /// one (RFC 9110, 13.1.2).
    pub(crate) fn is_known(&self, headers: &HeaderMap) -> bool {
        self.is_listed(headers, &IF_NONE_MATCH, Comparison::Weak)
    }

    fn is_listed(&self, headers: &HeaderMap, name: &HeaderName, comparison: Comparison) -> bool {
        let lists = headers.get_all(name).into_iter().filter_map(|list| list.to_str().ok());
        let mut tags = lists.flat_map(listed);
        tags.any(|tag| match comparison {
            _ if tag == "*" => true,
            Comparison::Strong => tag == self.0,
            Comparison::Weak => tag.trim_start_matches("W/") == self.0,
        })
    }

    fn quoted(opaque: &str) -> Self {
        let value = HeaderValue::from_str(&format!("\"{opaque}\""));
        Self(value.expect("digits and hexadecimal digits are visible ASCII"))
    }
}

/// How tags are compared (RFC 9110, 8.8.3.2).
#[derive(Clone, Copy)]
enum Comparison {
    Strong,
    Weak,
}

/// The tags of a list, as they are written. A comma may be part of a tag.
fn listed(list: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let tags = list.split(move |letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    });
    tags.map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_compares_strongly_and_if_none_match_weakly() {
        for (list, strongly, weakly) in [
            ("\"7\"", true, true),
            ("*", true, true),
            ("\"6\", \"7\"", true, true),
            ("\"6\",\"7\"", true, true),
            ("W/\"7\"", false, true),
            ("\"6\", W/\"7\"", false, true),
            ("\"6\"", false, false),
            ("\"77\"", false, false),
            ("\"6,\"7\"\"", false, false),
            ("\",7,\"", false, false),
            ("7", false, false),
            ("", false, false),
        ] {
            let tag = EntityTag::of_version(7);
            let sent = |name| HeaderMap::from_iter([(name, list.parse().unwrap())]);
            assert_eq!(tag.allows_change(&sent(IF_MATCH)), strongly, "{list}");
            assert_eq!(tag.is_known(&sent(IF_NONE_MATCH)), weakly, "{list}");
        }
    }

    #[test]
    fn lists_in_several_headers_are_one() {
        let mut headers = HeaderMap::new();
        for list in ["\"6\"", "\"7\""] {
            headers.append(IF_MATCH, HeaderValue::from_static(list));
        }
        assert!(EntityTag::of_version(7).allows_change(&headers));
    }

    #[test]
    fn without_the_headers_everything_may_change_and_nothing_is_known() {
        let tag = EntityTag::of_body("{}");
        assert!(tag.allows_change(&HeaderMap::new()) && !tag.is_known(&HeaderMap::new()));
    }
}
