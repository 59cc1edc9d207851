//! The sentences of verdicts.

use crate::caller::{Access, Caller, SignIn, Verdict};
use crate::endpoint::{Allow, Endpoint, RoleOf};
use crate::error::RequestError;
use crate::limit::RateLimitStatus;

/// The caller for people: the role that admits it, if any, and its subject.
pub(crate) fn caller_of<E: Endpoint>(caller: &E::Caller) -> Option<String> {
    let subject = caller.subject()?;
    let role = role_of::<E>(caller).map(|role| format!("{role:?} ").to_lowercase());
    Some(role.unwrap_or_default() + &subject)
}

/// The reason of stage 2.
pub(crate) fn of_caller<E: Endpoint>(identified: &Result<E::Caller, RequestError>) -> String {
    match (identified, E::Caller::SIGN_IN) {
        (Err(failure), _) => failure.to_string(),
        (Ok(_), SignIn::None) => "The endpoint needs no token.".to_owned(),
        (Ok(caller), _) if caller.subject().is_none() => {
            "The request has no token, and needs none.".to_owned()
        }
        (Ok(_), _) => "The token is valid.".to_owned(),
    }
}

/// The reason of stage 3.
pub(crate) fn of_access<E: Endpoint>(caller: &E::Caller) -> String {
    match (E::ACCESS, role_of::<E>(caller)) {
        (Access::Public, _) => "The endpoint admits all callers.".to_owned(),
        (Access::SignedIn, _) if caller.subject().is_some() => {
            "The caller is signed in.".to_owned()
        }
        (Access::SignedIn, _) => "The caller is not signed in.".to_owned(),
        (Access::OneOf(_), Some(role)) => format!("The caller has the role {role:?}."),
        (Access::OneOf(roles), None) => format!("The caller has none of the roles {roles:?}."),
    }
}

/// The reason of a rate limit.
pub(crate) fn of_limit(status: &RateLimitStatus) -> String {
    let (left, quota, reset_s) = status.left();
    if status.admitted {
        format!("{left} of {quota} are left for {reset_s} s.")
    } else {
        format!("The limit of {quota} is reached for {reset_s} s.")
    }
}

/// The reason of the limit of a subject.
pub(crate) fn of_subject<E: Endpoint>(charged: Result<(), &RequestError>) -> String {
    let subject = E::SUBJECT_LIMIT.map_or("subject", |limit| limit.subject);
    match charged {
        Ok(()) => format!("The limit of this {subject} is not reached."),
        Err(RequestError::RateLimited { retry_after_s }) => {
            format!("The limit of this {subject} is reached for {retry_after_s} s.")
        }
        Err(failure) => format!("The limit of this {subject} cannot be counted: {failure}"),
    }
}

/// The reason of stage 3b.
pub(crate) fn of_facts<E: Endpoint>(verdict: Verdict) -> String {
    let reason = match (E::ALLOW, verdict) {
        (Allow::Always, _) => "The facts do not matter to this endpoint.",
        (_, Verdict::Allow) => "The facts allow it to this caller.",
        (_, Verdict::Forbid) => "The facts forbid it to this caller.",
        (_, Verdict::Hide) => {
            "The facts hide the resource from this caller: the response is that of a missing one."
        }
    };
    reason.to_owned()
}

/// The first role of the endpoint that the caller has.
fn role_of<E: Endpoint>(caller: &E::Caller) -> Option<RoleOf<E::Caller>> {
    match E::ACCESS {
        Access::OneOf(roles) => roles.iter().copied().find(|role| caller.has(*role)),
        Access::Public | Access::SignedIn => None,
    }
}
