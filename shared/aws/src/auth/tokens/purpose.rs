//! Whether a token is an access token: one made to be shown to an API (RFC 8725, 3.11 and 3.12).
//! Other tokens of an issuer are refused: ID tokens for a client, refresh tokens, logout tokens.

use lifecycle::claims;
use serde_json::Value;

use super::compact::{Compact, Reason};
use super::named_claim::named;
use super::trusted_issuers::AccessClaim;

const ANOTHER: Reason = "it is not an access token";
/// The token does not state its purpose, and does not have the issuer's access claim.
const UNKNOWN: Reason = "it does not say that it is an access token";

/// Checks a token of ours. We sign only access tokens; the version before signed them as `JWT`.
pub(super) fn check_ours(token: &Compact<'_>) -> Result<(), Reason> {
    match token.kind().as_deref() {
        None | Some("jwt" | "at+jwt") => Ok(()),
        Some(_) => Err(ANOTHER),
    }
}

/// Checks a token of an outside issuer. It must state its purpose: by `typ: at+jwt` (RFC 9068), by
/// `token_use: access` (Cognito), or by the configured claim.
pub(super) fn check_outside(
    token: &Compact<'_>,
    known_by: Option<&AccessClaim>,
) -> Result<(), Reason> {
    let claims = &token.claims;
    let kind = token.kind();
    let token_use = claims.get("token_use");
    let is_typed = match kind.as_deref() {
        None | Some("jwt") => false,
        Some("at+jwt") => true,
        Some(_) => return Err(ANOTHER),
    };
    // Keycloak puts the type into the claims: `Bearer`, `ID`, `Refresh`, `Offline`, `Logout`.
    let is_of_another_type = claims.get("typ").is_some_and(|typ| {
        let known = ["bearer", "jwt", "at+jwt"];
        !typ.as_str().is_some_and(|typ| known.contains(&&*typ.to_ascii_lowercase()))
    });
    let is_of_another_use = token_use.is_some_and(|token_use| token_use != "access");
    // OpenID Connect puts these hashes only into ID tokens.
    let has_hashes = ["at_hash", "c_hash"].iter().any(|hash| claims.contains_key(*hash));
    if is_of_another_type || is_of_another_use || has_hashes {
        return Err(ANOTHER);
    }
    if known_by.is_some_and(|known_by| known_by.is_in(claims)) {
        return Ok(());
    }
    match (is_typed || token_use.is_some(), claims.contains_key("nonce")) {
        (true, false) => Ok(()),
        // A nonce repeats a value from the client's sign-in request, for that client to compare.
        (true, true) => Err(ANOTHER),
        (false, _) => Err(UNKNOWN),
    }
}

impl AccessClaim {
    /// Whether the claim exists, and is the value or contains it among its names.
    fn is_in(&self, claims: &claims::Claims) -> bool {
        let claim: Option<&Value> = named(claims, &self.name);
        claims::names(claim).is_some_and(|names| names.contains(&self.value))
    }
}
