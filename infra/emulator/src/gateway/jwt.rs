//! JWT authorizers of HTTP APIs. The claims are checked as on AWS; the signature is not: the keys of
//! the issuer are not on this machine.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use jiff::Timestamp;
use sam_template::JwtAuthorizer;
use serde_json::{Map, Value, json};

use super::failure::Failure;

/// The part of the request's context with the claims of its token.
///
/// # Errors
/// If the request has no token, or the authorizer does not accept the token's claims.
pub(super) fn authorize(
    settings: &JwtAuthorizer,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Value, Failure> {
    let header = headers.get(&settings.identity_header).and_then(|value| value.to_str().ok());
    let claims = header.and_then(claims).ok_or(Failure::Unauthorized)?;
    if !is_accepted(settings, &claims, now) {
        return Err(Failure::Unauthorized);
    }
    let claims: Map<String, Value> =
        claims.iter().map(|(name, value)| (name.clone(), text(value).into())).collect();
    Ok(json!({ "jwt": { "claims": claims, "scopes": null } }))
}

/// The claims of a token, with or without the scheme `Bearer`.
fn claims(header: &str) -> Option<Map<String, Value>> {
    let token = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
        Some(_) => return None,
        None => header,
    };
    let payload = URL_SAFE_NO_PAD.decode(token.trim().split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

fn is_accepted(settings: &JwtAuthorizer, claims: &Map<String, Value>, now: Timestamp) -> bool {
    let audience = claims.get("aud").or_else(|| claims.get("client_id"));
    let is_for_us = match audience {
        Some(Value::Array(all)) => all.iter().any(|one| is_one_of(&settings.audience, one)),
        Some(one) => is_one_of(&settings.audience, one),
        None => settings.audience.is_empty(),
    };
    let second = |name: &str| claims.get(name).and_then(Value::as_f64);
    let now = now.as_duration().as_secs_f64();
    is_for_us
        && claims.get("iss").and_then(Value::as_str) == Some(settings.issuer.as_str())
        && second("exp").is_some_and(|expiry| now < expiry)
        && second("nbf").is_none_or(|start| start <= now)
        && second("iat").is_none_or(|issued| issued <= now)
}

fn is_one_of(audience: &[String], value: &Value) -> bool {
    audience.iter().any(|accepted| value == accepted.as_str())
}

/// A claim as API Gateway passes it: a string.
fn text(claim: &Value) -> String {
    match claim {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(" "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn authorized(claims: &Value) -> Result<Value, Failure> {
        let settings = JwtAuthorizer {
            issuer: "https://issuer".to_owned(),
            audience: vec!["app".to_owned()],
            identity_header: "authorization".to_owned(),
        };
        let token = format!("Bearer e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_str(&token).unwrap());
        authorize(&settings, &headers, "2026-01-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_claims_of_an_accepted_token_are_strings() {
        let claims = json!({
            "iss": "https://issuer", "aud": ["app", "b"], "exp": 1_800_000_000, "admin": true,
        });
        let context = authorized(&claims).unwrap();
        let expected = json!({
            "iss": "https://issuer", "aud": "[app b]", "exp": "1800000000", "admin": "true",
        });
        assert_eq!(context["jwt"]["claims"], expected);
        assert_eq!(context["jwt"]["scopes"], Value::Null);
    }

    #[test]
    fn a_token_of_another_issuer_or_audience_or_time_is_unauthorized() {
        let later = 1_800_000_000;
        for claims in [
            json!({"iss": "https://other", "aud": "app", "exp": later}),
            json!({"iss": "https://issuer", "aud": "other", "exp": later}),
            json!({"iss": "https://issuer", "client_id": "other", "exp": later}),
            json!({"iss": "https://issuer", "aud": "app", "exp": 1}),
            json!({"iss": "https://issuer", "aud": "app"}),
            json!({"iss": "https://issuer", "aud": "app", "exp": later, "nbf": later}),
            json!({"iss": "https://issuer", "aud": "app", "exp": later, "iat": later}),
            json!("no claims"),
        ] {
            assert_eq!(authorized(&claims), Err(Failure::Unauthorized), "{claims}");
        }
        let by_client = json!({"iss": "https://issuer", "client_id": "app", "exp": later});
        assert!(authorized(&by_client).is_ok());
    }
}
