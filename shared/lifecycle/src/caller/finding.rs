//! The authorizer's result for a token, and its form in API Gateway's context.
//!
//! | context | meaning |
//! |---|---|
//! | `{"sub", "roles", "tier", "emailVerified", "exp"}` | the token is valid, and these are its [`Claims`] |
//! | `{"verdict": "refused"}` | the token is invalid |
//! | `{"verdict": "unavailable", "at"}` | the token could not be verified at this `NumericDate` |
//!
//! This is the context of a Lambda authorizer. API Gateway's own authorizers refuse requests
//! themselves, and pass on claims only: see [`Authorizer`].
//!
//! The authorizer admits every request, and stage 2 of the function decides by this result. So an
//! invalid token is a 401 with our response body, whatever the gateway does when an authorizer
//! fails. Functions of an earlier version know only claims; to them a verdict is an invalid set of
//! claims, which is a 401 too.

use serde_json::{Value, json};

use super::claims::{Claims, date_passed_on};
use super::identity::Authorizer;
use crate::{ServiceError, Timestamp};

/// How long API Gateway caches the authorizer's result, per token and for all routes, in seconds:
/// `ReauthorizeEvery` of the template.
pub const FINDING_KEPT_S: u32 = 300;

const VERDICT: &str = "verdict";
const REFUSED: &str = "refused";
const UNAVAILABLE: &str = "unavailable";
const AT: &str = "at";

/// The authorizer's result for the token of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Finding {
    /// No authorizer was invoked.
    Unasked,
    /// The token is valid.
    Claims(Claims),
    /// The gateway itself has authenticated the caller.
    OfGateway(Authorizer, Claims),
    /// The token is invalid.
    Refused,
    /// The token could not be verified.
    Unavailable {
        /// The time of the attempt, if the context has it.
        at: Option<Timestamp>,
    },
}

impl Finding {
    /// Returns the context that the authorizer sends to API Gateway.
    pub(crate) fn into_context(self) -> Value {
        match self {
            Self::Unasked => json!({}),
            Self::Claims(claims) | Self::OfGateway(_, claims) => claims.into(),
            Self::Refused => json!({ VERDICT: REFUSED }),
            Self::Unavailable { at: None } => json!({ VERDICT: UNAVAILABLE }),
            Self::Unavailable { at: Some(at) } => {
                json!({ VERDICT: UNAVAILABLE, AT: at.as_seconds() })
            }
        }
    }

    /// Reads `requestContext.authorizer` of an event. An unexpected form is a refusal, and a
    /// verdict has precedence over claims.
    pub(crate) fn of_authorizer(authorizer: Option<Value>) -> Self {
        match authorizer {
            None | Some(Value::Null) => Self::Unasked,
            Some(Value::Object(mut by_kind)) => match Self::of_context(by_kind.remove("lambda")) {
                Self::Unasked => Self::of_jwt(by_kind.remove("jwt"))
                    .or_else(|| Self::of_iam(by_kind.remove("iam")?))
                    .unwrap_or(Self::Unasked),
                asked => asked,
            },
            Some(_) => Self::Refused,
        }
    }

    /// Reads the `requestContext` of a REST API, which has the members of a Lambda authorizer's
    /// context, or the `claims` of a Cognito authorizer. Signatures of AWS are in `identity`.
    pub(crate) fn of_rest_context(context: Option<&Value>) -> Self {
        let authorizer = context.and_then(|context| context.get("authorizer"));
        let authorizer = authorizer.filter(|authorizer| !is_unset(authorizer));
        match Self::of_context(authorizer.cloned()) {
            Self::Unasked => context.and_then(Self::of_rest_identity).unwrap_or(Self::Unasked),
            Self::Claims(claims) => {
                Self::of_jwt(authorizer.cloned()).unwrap_or(Self::Claims(claims))
            }
            asked => asked,
        }
    }

    fn of_rest_identity(context: &Value) -> Option<Self> {
        let identity = context.get("identity")?;
        let mut iam = json!({});
        for (name, given) in [
            ("userArn", "userArn"),
            ("accountId", "accountId"),
            ("userId", "user"),
            ("callerId", "caller"),
            ("accessKey", "accessKey"),
        ] {
            iam[name] = identity.get(given)?.clone();
        }
        Self::of_iam(iam)
    }

    /// The claims of a token that the gateway has verified.
    fn of_jwt(verified: Option<Value>) -> Option<Self> {
        match verified?.get_mut("claims")?.take() {
            Value::Object(claims) => Some(Self::OfGateway(Authorizer::Jwt, claims)),
            _ => None,
        }
    }

    /// The identity of a caller whose signature the gateway has verified.
    fn of_iam(identity: Value) -> Option<Self> {
        identity.get("userArn")?.as_str()?;
        let claims = Claims::from_iter([("iam".to_owned(), identity)]);
        Some(Self::OfGateway(Authorizer::Iam, claims))
    }

    /// Returns the claims, if they are of this authorizer.
    pub(crate) fn claims_of(&self, authorizer: Authorizer) -> Option<&Claims> {
        match self {
            Self::Claims(claims) => (authorizer == Authorizer::Lambda).then_some(claims),
            Self::OfGateway(by, claims) => (authorizer == *by).then_some(claims),
            Self::Unasked | Self::Refused | Self::Unavailable { .. } => None,
        }
    }

    fn of_context(context: Option<Value>) -> Self {
        let context = match context {
            None | Some(Value::Null) => return Self::Unasked,
            Some(Value::Object(context)) if context.is_empty() => return Self::Unasked,
            Some(Value::Object(context)) => context,
            Some(_) => return Self::Refused,
        };
        match context.get(VERDICT).map(Value::as_str) {
            None => Self::Claims(context),
            Some(Some(UNAVAILABLE)) => {
                Self::Unavailable { at: context.get(AT).and_then(date_passed_on) }
            }
            Some(_) => Self::Refused,
        }
    }
}

/// Whether it is the `authorizer` of a route without one: an HTTP API with payload format 1.0 sends
/// `{"claims": null, "scopes": null}`.
fn is_unset(authorizer: &Value) -> bool {
    authorizer.as_object().is_some_and(|members| {
        let mut members = members.iter();
        members.all(|(name, value)| matches!(name.as_str(), "claims" | "scopes") && value.is_null())
    })
}

/// The error of a request whose token the authorizer could not verify. API Gateway caches this
/// result, so a client that retries before the cache expires fails again.
pub(crate) fn not_verified(at: Option<Timestamp>, now: Timestamp) -> ServiceError {
    let kept_s = i64::from(FINDING_KEPT_S);
    let age_s = at.map_or(0, |at| now.as_seconds().saturating_sub(at.as_seconds()));
    let left_s = kept_s.saturating_sub(age_s).clamp(1, kept_s);
    let retry_after_s = u32::try_from(left_s).unwrap_or(FINDING_KEPT_S);
    ServiceError::Unavailable {
        retry_after_s,
        source: "the authorizer could not verify the token".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_survives_a_round_trip() {
        let claims = json!({ "sub": "ada", "roles": ["WRITER"], "exp": 1900 });
        let at = Some(Timestamp::from_millis(1_900_000));
        for finding in [
            Finding::Unasked,
            Finding::Claims(claims.as_object().unwrap().clone()),
            Finding::Refused,
            Finding::Unavailable { at },
            Finding::Unavailable { at: None },
        ] {
            let authorizer = json!({ "lambda": finding.clone().into_context() });
            assert_eq!(Finding::of_authorizer(Some(authorizer.clone())), finding, "{authorizer}");
        }
    }

    #[test]
    fn the_claims_of_a_gateways_own_authorizer_are_read_for_it_alone() {
        let claims = json!({ "sub": "ada", "exp": "1900", "cognito:groups": "[admins]" });
        let jwt = Finding::of_authorizer(Some(json!({ "jwt": { "claims": claims } })));
        let cognito = json!({ "authorizer": { "claims": claims }, "identity": {} });
        assert_eq!(jwt, Finding::of_rest_context(Some(&cognito)));
        assert_eq!(jwt.claims_of(Authorizer::Jwt), claims.as_object());
        assert_eq!(jwt.claims_of(Authorizer::Lambda), None);

        let arn = "arn:aws:iam::1234567890:user/ada";
        let iam = json!({
            "userArn": arn, "accountId": "1234567890", "userId": "u", "callerId": "c",
            "accessKey": "k",
        });
        let signed = Finding::of_authorizer(Some(json!({ "iam": iam })));
        let identity = json!({
            "userArn": arn, "accountId": "1234567890", "user": "u", "caller": "c",
            "accessKey": "k", "sourceIp": "192.0.2.1",
        });
        let rest = json!({ "authorizer": null, "identity": identity });
        assert_eq!(signed, Finding::of_rest_context(Some(&rest)));
        let unset = json!({ "claims": null, "scopes": null });
        let format_1 = json!({ "authorizer": unset, "identity": rest["identity"] });
        assert_eq!(signed, Finding::of_rest_context(Some(&format_1)));
        assert_eq!(signed.claims_of(Authorizer::Iam).unwrap()["iam"]["userArn"], arn);
        assert_eq!(signed.claims_of(Authorizer::Jwt), None);
    }

    #[test]
    fn a_rest_api_has_the_context_of_a_lambda_authorizer_without_a_level() {
        for (authorizer, expected) in [
            (json!({ "sub": "ada", "exp": "1900" }), None),
            (json!({ "verdict": "refused" }), Some(Finding::Refused)),
            (json!({ "verdict": "refused", "claims": { "sub": "ada" } }), Some(Finding::Refused)),
            (json!({ "claims": null, "scopes": null }), Some(Finding::Unasked)),
            (json!({ "claims": null, "sub": "ada" }), None),
            (json!({}), Some(Finding::Unasked)),
            (json!(null), Some(Finding::Unasked)),
            (json!("ada"), Some(Finding::Refused)),
        ] {
            let identity = json!({ "sourceIp": "192.0.2.1", "userArn": null });
            let context = json!({ "authorizer": authorizer, "identity": identity });
            let claims = authorizer.as_object().cloned().map(Finding::Claims);
            let expected = expected.or(claims).unwrap();
            assert_eq!(Finding::of_rest_context(Some(&context)), expected, "{authorizer}");
        }
    }

    #[test]
    fn a_verdict_precedes_claims_and_an_unknown_one_is_a_refusal() {
        let read = |context: Value| Finding::of_authorizer(Some(json!({ "lambda": context })));
        for (verdict, expected) in [
            (json!("refused"), Finding::Refused),
            (json!("unavailable"), Finding::Unavailable { at: None }),
            (json!("verified"), Finding::Refused),
            (json!("Unavailable"), Finding::Refused),
            (json!(""), Finding::Refused),
            (json!(null), Finding::Refused),
            (json!(true), Finding::Refused),
            (json!({}), Finding::Refused),
        ] {
            let beside = json!({ "sub": "ada", "exp": 4_102_444_800_u64, "verdict": verdict });
            assert_eq!(read(beside), expected, "{verdict}");
        }
    }

    #[test]
    fn a_malformed_context_is_not_read_as_claims() {
        for authorizer in
            [json!(null), json!({}), json!({ "lambda": null }), json!({ "lambda": {} })]
        {
            let read = Finding::of_authorizer(Some(authorizer.clone()));
            assert_eq!(read, Finding::Unasked, "{authorizer}");
        }
        for authorizer in [json!("ada"), json!(["ada"]), json!(7), json!({ "lambda": ["sub"] })] {
            let read = Finding::of_authorizer(Some(authorizer.clone()));
            assert_eq!(read, Finding::Refused, "{authorizer}");
        }
    }

    #[test]
    fn retry_after_is_the_time_until_the_gateway_asks_the_authorizer_again() {
        let now = Timestamp::from_millis(10_000_000);
        for (age_s, expected) in
            [(Some(0), 300), (Some(299), 1), (Some(1_000), 1), (Some(-50), 300), (None, 300)]
        {
            let fault = not_verified(age_s.map(|age_s| now.plus_seconds(-age_s)), now);
            let ServiceError::Unavailable { retry_after_s, .. } = fault else {
                panic!("{fault:?}")
            };
            assert_eq!(retry_after_s, expected, "{age_s:?}");
        }
    }
}
