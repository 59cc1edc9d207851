//! Whether a token is an access token: one that is made to be shown to an API (RFC 8725, 3.11 and
//! 3.12). What an issuer signs for a client's own eyes (ID tokens), to get other tokens by (refresh
//! tokens) or to end a session (logout tokens) lets nobody in here.

use lifecycle::claims;
use serde_json::Value;

use super::compact::{Compact, Reason};
use super::outside::AccessClaim;
use super::verifier::named;

const ANOTHER: Reason = "it is no access token";
/// Neither says that it is an access token, nor has the claim by which its issuer's are known.
const UNKNOWN: Reason = "it does not say that it is an access token";

/// Checks a token of our own. We sign nothing but access tokens; the version before signed them as
/// `JWT`.
pub(super) fn check_ours(token: &Compact<'_>) -> Result<(), Reason> {
    match token.kind().as_deref() {
        None | Some("jwt" | "at+jwt") => Ok(()),
        Some(_) => Err(ANOTHER),
    }
}

/// Checks a token of an outside issuer, which must say what it is for: by `typ: at+jwt` (RFC 9068),
/// by `token_use: access` (Cognito), or by the claim that the configuration names.
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
    // Keycloak has the type among the claims: `Bearer`, `ID`, `Refresh`, `Offline`, `Logout`.
    let is_of_another_type = claims.get("typ").is_some_and(|typ| {
        let known = ["bearer", "jwt", "at+jwt"];
        !typ.as_str().is_some_and(|typ| known.contains(&&*typ.to_ascii_lowercase()))
    });
    let is_of_another_use = token_use.is_some_and(|token_use| token_use != "access");
    // Hashes that OpenID Connect puts into ID tokens alone.
    let has_hashes = ["at_hash", "c_hash"].iter().any(|hash| claims.contains_key(*hash));
    if is_of_another_type || is_of_another_use || has_hashes {
        return Err(ANOTHER);
    }
    if known_by.is_some_and(|known_by| known_by.is_in(claims)) {
        return Ok(());
    }
    match (is_typed || token_use.is_some(), claims.contains_key("nonce")) {
        (true, false) => Ok(()),
        // It repeats what a client has said when somebody signed in: for that client to compare.
        (true, true) => Err(ANOTHER),
        (false, _) => Err(UNKNOWN),
    }
}

impl AccessClaim {
    /// Whether the claim is there, and is the value or has it among its names.
    fn is_in(&self, claims: &claims::Claims) -> bool {
        let claim: Option<&Value> = named(claims, &self.name);
        claims::names(claim).is_some_and(|names| names.contains(&self.value))
    }
}
