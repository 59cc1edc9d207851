//! Tokens that the store has not issued.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::people::{Person, SECRET};

/// A way to forge a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// No signature, and the algorithm `none`.
    Unsigned,
    /// Other claims with the signature of a valid token.
    OtherClaims,
    /// A key that the store has not published.
    UnknownKey,
    /// An algorithm that does not exist, and claims with a mark: neither may be in the log.
    OddAlgorithm,
    /// No token at all.
    Garbage,
}

/// All of them.
pub(super) const FORGERIES: [Forgery; 5] = [
    Forgery::Unsigned,
    Forgery::OtherClaims,
    Forgery::UnknownKey,
    Forgery::OddAlgorithm,
    Forgery::Garbage,
];

/// A token that needs no valid one.
pub(super) fn forged(forgery: Forgery) -> String {
    let part = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let claims = json!({
        "iss": "https://auth.example.com", "aud": "serverless-api", "sub": Person::Admin.id(),
        "exp": 4_102_444_800_u64, "roles": ["ADMIN"], "tier": "GOLD", "emailVerified": true,
    });
    let (header, signature) = match forgery {
        Forgery::Unsigned => (json!({ "alg": "none", "typ": "at+jwt" }), String::new()),
        Forgery::UnknownKey => (
            json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "unknown" }),
            BASE64_URL_SAFE_NO_PAD.encode([1; 64]),
        ),
        Forgery::OddAlgorithm => {
            (json!({ "alg": format!("{SECRET}-algorithm"), "typ": "at+jwt" }), String::new())
        }
        Forgery::OtherClaims | Forgery::Garbage => return "not.a.token".to_owned(),
    };
    format!("{}.{}.{signature}", part(header), part(claims))
}

/// A valid token's header and signature around the claims of an administrator.
pub(super) fn with_other_claims(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    let mut claims: Value = serde_json::from_slice(&claims).ok()?;
    claims["roles"] = json!(["ADMIN"]);
    claims["sub"] = json!(Person::Admin.id());
    Some(format!("{header}.{}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string())))
}
