//! Entity tags: the version of a resource (RFC 9110, 8.8.3).

use http::HeaderValue;

use crate::hash::short_hash_of;

/// A strong entity tag: `"7"`.
///
/// The reply to a `GET` and the comparison of conditions must derive the tag from the same value. A
/// resource with a version number uses that number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(pub(crate) HeaderValue);

impl EntityTag {
    /// The tag of one version of a resource.
    pub fn of_version(version: u64) -> Self {
        Self::quoted(&version.to_string())
    }

    /// The tag of a body: the first half of its SHA-256.
    pub(crate) fn of_body(body: &[u8]) -> Self {
        Self::quoted(&short_hash_of([body]))
    }

    fn quoted(opaque: &str) -> Self {
        let value = HeaderValue::from_str(&format!("\"{opaque}\""));
        Self(value.expect("digits and hexadecimal digits are visible ASCII"))
    }
}

/// The tags in a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`: any version.
    Any,
    /// One of these.
    These(Vec<Tag>),
}

/// A tag as a client writes it: `"7"`, or `W/"7"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    weak: bool,
    /// Including the quotation marks.
    opaque: Vec<u8>,
}

impl Tags {
    /// Reads the lines of a header; `None` if they are neither `*` nor a list of tags.
    pub(crate) fn read<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let lines: Vec<&[u8]> = lines.into_iter().map(<[u8]>::trim_ascii).collect();
        if lines == [b"*"] {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        for line in lines {
            let mut rest = line;
            loop {
                // Empty elements of a list are ignored (RFC 9110, 5.6.1.2).
                rest = rest.trim_ascii_start();
                match rest {
                    [] => break,
                    [b',', after @ ..] => rest = after,
                    _ => {
                        let (tag, after) = Tag::first_of(rest)?;
                        tags.push(tag);
                        rest = after.trim_ascii_start();
                        if !matches!(rest, [] | [b',', ..]) {
                            return None;
                        }
                    }
                }
            }
        }
        // A list may be empty, and then matches nothing (RFC 9110, 13.1.1 and 5.6.1).
        Some(Self::These(tags))
    }

    /// Whether they match the current tag in the strong comparison: a weak tag never matches (RFC
    /// 9110, 13.1.1).
    pub(crate) fn name_strongly(&self, current: &EntityTag) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => {
                tags.iter().any(|tag| !tag.weak && tag.opaque == current.0.as_bytes())
            }
        }
    }

    /// Whether they match the current tag in the weak comparison (RFC 9110, 13.1.2).
    pub(crate) fn name_weakly(&self, current: &EntityTag) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag.opaque == current.0.as_bytes()),
        }
    }
}

impl Tag {
    /// Returns the first tag of a text, and the rest.
    fn first_of(text: &[u8]) -> Option<(Self, &[u8])> {
        let (weak, quoted) = match text.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, text),
        };
        let end = 1 + quoted.strip_prefix(b"\"")?.iter().position(|byte| *byte == b'"')?;
        let (opaque, after) = quoted.split_at_checked(end + 1)?;
        let inside = &opaque[1..end];
        let allowed = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..);
        inside.iter().all(allowed).then(|| (Self { weak, opaque: opaque.to_vec() }, after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Tags> {
        Tags::read([line.as_bytes()])
    }

    #[test]
    fn a_list_of_tags_is_compared_strongly_or_weakly() {
        for (list, strongly, weakly) in [
            ("\"7\"", true, true),
            ("*", true, true),
            (" * ", true, true),
            ("\"6\", \"7\"", true, true),
            ("\"6\",\"7\"", true, true),
            ("\"6\" , , \"7\" ,", true, true),
            ("W/\"7\"", false, true),
            ("\"6\", W/\"7\"", false, true),
            ("\"6\"", false, false),
            ("\"77\"", false, false),
            ("\",7,\"", false, false),
            ("\"\"", false, false),
            ("\"ä\", \"7\"", true, true),
            ("", false, false),
            (" ", false, false),
            (",", false, false),
        ] {
            let (tags, current) = (read(list).unwrap(), EntityTag::of_version(7));
            assert_eq!(tags.name_strongly(&current), strongly, "{list}");
            assert_eq!(tags.name_weakly(&current), weakly, "{list}");
        }
    }

    #[test]
    fn a_value_that_is_not_a_list_of_tags_is_refused() {
        for list in [
            "7",
            "\"7",
            "7\"",
            "w/\"7\"",
            "W/7",
            "W /\"7\"",
            "\"6\" \"7\"",
            "\"6\"\"7\"",
            "*, \"7\"",
            "\"7\", *",
            "**",
            "\"a b\"",
            "\"6,\"7\"\"",
        ] {
            assert_eq!(read(list), None, "{list}");
        }
        assert_eq!(Tags::read([b"*".as_slice(), b"*"]), None);
    }

    #[test]
    fn several_header_lines_form_one_list() {
        let tags = Tags::read([b"\"6\"".as_slice(), b"\"7\""]).unwrap();
        assert!(tags.name_strongly(&EntityTag::of_version(7)));
    }
}
