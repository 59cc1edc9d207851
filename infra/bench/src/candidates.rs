//! The measured functions, and the bare functions that they are compared with.

use bytes::Bytes;
use serde_json::Value;
use tooling::Error;

use super::events::Events;

/// A measured function.
pub(super) struct Candidate {
    /// Its name in the tables.
    pub(super) name: &'static str,
    pub(super) binary: &'static str,
    pub(super) package: Package,
    /// The bare function with the same work.
    pub(super) partner: Option<&'static str>,
    /// Builds its next event.
    pub(super) event: fn(&Events) -> Bytes,
    /// Whether a response is the expected one.
    pub(super) is_right: fn(&Value) -> bool,
}

/// The package of a candidate's binary.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Package {
    Functions,
    Bare,
    BareWithDefaults,
}

pub(super) const JSON: &str = "bare_json";
pub(super) const DEFAULTS: &str = "bare_sdk";
pub(super) const TUNED: &str = "bare_tuned";
pub(super) const CALLS: &str = "bare_order";
pub(super) const CACHED: &str = "get_product_cached";
pub(super) const READ: &str = "get_product_read";
pub(super) const ORDER: &str = "create_order";
pub(super) const USER: &str = "get_user";
pub(super) const AUTHORIZER: &str = "authorizer";

const ALL: [Candidate; 9] = [
    bare(JSON, Package::Bare, Events::product, ok),
    bare(DEFAULTS, Package::BareWithDefaults, Events::product, ok),
    bare(TUNED, Package::Bare, Events::product, ok),
    bare(CALLS, Package::Bare, Events::order, created),
    ours(CACHED, "get_product", JSON, Events::product, ok),
    ours(READ, "get_product", TUNED, Events::another_product, ok),
    ours(ORDER, "create_order", CALLS, Events::order, created),
    ours(USER, "get_user", TUNED, Events::user, ok),
    ours(AUTHORIZER, "authorizer", TUNED, Events::token, authorized),
];

/// The candidates of these names, or all of them.
pub(super) fn named(names: &[String]) -> Result<Vec<&'static Candidate>, Error> {
    if let Some(unknown) = names.iter().find(|name| ALL.iter().all(|one| one.name != **name)) {
        let known = ALL.each_ref().map(|candidate| candidate.name).join(", ");
        return Err(format!("there is no candidate {unknown}, only {known}").into());
    }
    let wanted = |candidate: &&Candidate| {
        names.is_empty() || names.iter().any(|name| name == candidate.name)
    };
    Ok(ALL.iter().filter(wanted).collect())
}

const fn bare(
    name: &'static str,
    package: Package,
    event: fn(&Events) -> Bytes,
    is_right: fn(&Value) -> bool,
) -> Candidate {
    Candidate { name, binary: name, package, partner: None, event, is_right }
}

const fn ours(
    name: &'static str,
    binary: &'static str,
    partner: &'static str,
    event: fn(&Events) -> Bytes,
    is_right: fn(&Value) -> bool,
) -> Candidate {
    let package = Package::Functions;
    Candidate { name, binary, package, partner: Some(partner), event, is_right }
}

fn ok(answer: &Value) -> bool {
    answer["statusCode"] == 200
}

fn created(answer: &Value) -> bool {
    answer["statusCode"] == 201
}

fn authorized(answer: &Value) -> bool {
    answer["isAuthorized"] == true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partner_is_a_candidate() {
        for partner in ALL.iter().filter_map(|candidate| candidate.partner) {
            assert!(ALL.iter().any(|candidate| candidate.name == partner), "{partner}");
        }
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        assert!(named(&["no_such_function".to_owned()]).is_err());
        assert_eq!(named(&[ORDER.to_owned()]).unwrap().len(), 1);
        assert_eq!(named(&[]).unwrap().len(), ALL.len());
    }
}
