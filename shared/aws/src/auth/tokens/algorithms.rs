//! The algorithms of signatures.

use jsonwebtoken::Algorithm;

/// An algorithm that we verify with, by its name. Most issuers call it `EdDSA`; RFC 9864 names it
/// `Ed25519`.
pub(super) fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "EdDSA" | "Ed25519" => Some(Algorithm::EdDSA),
        "ES256" => Some(Algorithm::ES256),
        "RS256" => Some(Algorithm::RS256),
        _ => None,
    }
}
