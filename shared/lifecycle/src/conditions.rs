//! Conditional requests: `If-Match` and `If-None-Match` (RFC 9110, 13).

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, Method};

use crate::entity_tag::{EntityTag, Tags};
use crate::error::{DomainError, ErrorCode, FieldErrors};
use crate::http::title_case;

/// The entity tag that the conditions of a write request are compared with.
///
/// There is no default: an endpoint cannot forget conditional requests.
#[derive(Debug)]
pub enum Conditions<F> {
    /// The current version of the resource, from the facts; `None` if it does not exist yet. It is
    /// computed again each time the facts are read again.
    On(fn(&F) -> Option<EntityTag>),
    /// A resource is created, which has no tag yet. The error is the one for an id that the
    /// client chose and that is in use: `If-None-Match: *` makes it a 412, whether stage 7 or a
    /// condition of the effects finds it.
    Creation(Option<ErrorCode>),
    /// The endpoint changes no resource that has a version. `If-Match` is answered 412, and so is
    /// `If-None-Match: *` unless the method is `POST`.
    Untagged,
}

/// The conditions of a request.
#[derive(Debug, Default)]
pub(crate) struct Named {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

impl Named {
    /// Reads the headers; a value that is not a list of tags is a field error.
    pub(crate) fn read(headers: &HeaderMap, field_errors: &mut FieldErrors) -> Self {
        let mut tags = |name: HeaderName| {
            let lines: Vec<&[u8]> =
                headers.get_all(&name).iter().map(http::HeaderValue::as_bytes).collect();
            if lines.is_empty() {
                return None;
            }
            let tags = Tags::read(lines);
            if tags.is_none() {
                let field = format!("header.{}", title_case(name.as_str()));
                field_errors.add(field, "must be `*` or a list of entity tags, each in quotes");
            }
            tags
        };
        Self { if_match: tags(IF_MATCH), if_none_match: tags(IF_NONE_MATCH) }
    }

    /// Whether a change may continue, as far as this is known before retrieval.
    ///
    /// Without a tag it is not known whether the resource of a `PUT`, `PATCH` or `DELETE` exists. So
    /// `If-None-Match: *` never holds for it, as `If-Match` does not: nothing is overwritten.
    pub(crate) fn admit<F>(&self, conditions: &Conditions<F>, method: &Method) -> bool {
        match conditions {
            Conditions::On(_) => true,
            Conditions::Creation(_) => self.allow_change(None),
            Conditions::Untagged => {
                let may_exist = *method != Method::POST && self.if_none_match == Some(Tags::Any);
                self.allow_change(None) && !may_exist
            }
        }
    }

    /// Whether a change may continue, once the facts are known.
    pub(crate) fn admit_facts<F>(&self, conditions: &Conditions<F>, facts: &F) -> bool {
        match conditions {
            Conditions::On(tag_of) => self.allow_change(tag_of(facts).as_ref()),
            Conditions::Creation(_) | Conditions::Untagged => true,
        }
    }

    /// Whether the request was rejected because the resource exists, contrary to `If-None-Match: *`.
    pub(crate) fn explain<F>(&self, conditions: &Conditions<F>, rejection: &DomainError) -> bool {
        let Conditions::Creation(Some(taken)) = conditions else { return false };
        self.if_none_match == Some(Tags::Any) && rejection.has_code(taken.code())
    }

    /// Whether `If-Match` allows the response to a `GET` with this tag.
    pub(crate) fn allow_answer(&self, tag: &EntityTag) -> bool {
        self.if_match.as_ref().is_none_or(|tags| tags.name_strongly(tag))
    }

    /// Whether the client already has the version of this tag, by `If-None-Match`.
    pub(crate) fn know(&self, tag: &EntityTag) -> bool {
        self.if_none_match.as_ref().is_some_and(|tags| tags.name_weakly(tag))
    }

    fn allow_change(&self, current: Option<&EntityTag>) -> bool {
        let matches = |tags: &Tags| current.is_some_and(|current| tags.name_strongly(current));
        let known = |tags: &Tags| current.is_some_and(|current| tags.name_weakly(current));
        self.if_match.as_ref().is_none_or(matches)
            && !self.if_none_match.as_ref().is_some_and(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(lines: &[(&'static str, &'static str)]) -> (Named, FieldErrors) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let mut field_errors = FieldErrors::none();
        (Named::read(&headers, &mut field_errors), field_errors)
    }

    #[test]
    fn a_change_needs_both_if_match_and_if_none_match_to_hold() {
        let seven = EntityTag::of_version(7);
        for (lines, of_seven, of_nothing) in [
            (&[][..], true, true),
            (&[("if-match", "\"7\"")], true, false),
            (&[("if-match", "*")], true, false),
            (&[("if-match", "W/\"7\"")], false, false),
            (&[("if-match", "\"6\"")], false, false),
            (&[("if-none-match", "*")], false, true),
            (&[("if-none-match", "\"7\"")], false, true),
            (&[("if-none-match", "W/\"7\"")], false, true),
            (&[("if-none-match", "\"6\"")], true, true),
            (&[("if-match", "\"7\""), ("if-none-match", "*")], false, false),
            (&[("if-match", "\"7\""), ("if-none-match", "\"6\"")], true, false),
        ] {
            let (named, field_errors) = named(lines);
            assert!(field_errors.is_empty());
            assert_eq!(named.allow_change(Some(&seven)), of_seven, "{lines:?}");
            assert_eq!(named.allow_change(None), of_nothing, "{lines:?}");
        }
    }

    #[test]
    fn if_none_match_any_never_holds_for_a_resource_without_a_tag_unless_it_is_created() {
        let (any, _) = named(&[("if-none-match", "*")]);
        let (other, _) = named(&[("if-none-match", "\"7\"")]);
        for (method, holds) in [
            (Method::PUT, false),
            (Method::PATCH, false),
            (Method::DELETE, false),
            (Method::POST, true),
        ] {
            assert_eq!(any.admit(&Conditions::<()>::Untagged, &method), holds, "{method}");
            assert!(other.admit(&Conditions::<()>::Untagged, &method), "{method}");
            assert!(any.admit(&Conditions::<()>::Creation(None), &method), "{method}");
        }
    }

    #[test]
    fn each_malformed_header_is_a_separate_field_error() {
        let (_, field_errors) = named(&[("if-match", "7"), ("if-none-match", "\"6")]);
        let fields: Vec<&str> = field_errors.iter().map(|found| found.field.as_str()).collect();
        assert_eq!(fields, ["header.If-Match", "header.If-None-Match"]);
    }
}
