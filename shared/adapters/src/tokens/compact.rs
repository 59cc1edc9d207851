//! A token in its parts (RFC 7515, section 7.1), before anything of it is believed.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, crypto};
use lifecycle::Claims;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::keys::PublicKey;

/// API Gateway takes 10 240 bytes of request line and headers, so no honest token is longer.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Why a token is refused: a constant, which says nothing of the token's own text.
pub(super) type Reason = &'static str;

/// A token that can be read. Its claims are whatever its maker wrote.
pub(super) struct Compact<'a> {
    header: Header,
    pub(super) claims: Claims,
    signed: &'a str,
    signature: &'a str,
}

/// What of a header is of interest. Where a token says that keys are found (`jwk`, `jku`, `x5u`) is
/// not: keys come from where the configuration says.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

impl<'a> Compact<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, Reason> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err("it is too long");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("it has not three parts")?;
        let (header, claims) = signed.split_once('.').ok_or("it has not three parts")?;
        // A point is no character of base64url, so that a fourth part is found here.
        let header: Header = part(header).ok_or("its header cannot be read")?;
        let claims = part(claims).ok_or("its payload cannot be read")?;
        if header.crit.is_some() {
            return Err("it has critical extensions, and we know none");
        }
        Ok(Self { header, claims, signed, signature })
    }

    /// The name of the key that it is signed with.
    pub(super) fn kid(&self) -> Result<&str, Reason> {
        self.header.kid.as_deref().ok_or("it names no key")
    }

    /// The type in the header as it is compared: in small letters, without `application/` (RFC 7515,
    /// section 4.1.9).
    pub(super) fn kind(&self) -> Option<String> {
        let kind = self.header.typ.as_ref()?.to_ascii_lowercase();
        Some(kind.strip_prefix("application/").unwrap_or(&kind).to_owned())
    }

    /// Whether the signature is the key's.
    ///
    /// The algorithm is the key's own. What the token says of it must agree, so that a public key
    /// can never be taken for a shared secret, nor a signature be done without (RFC 8725, 3.1).
    pub(super) fn check_signature(&self, key: &PublicKey) -> Result<(), Reason> {
        if algorithm(&self.header.alg) != Some(key.algorithm) {
            return Err("its algorithm is not the key's");
        }
        let message = self.signed.as_bytes();
        match crypto::verify(self.signature, message, &key.key, key.algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err("its signature is not the key's"),
        }
    }
}

/// An algorithm that we verify with, by its name. `Ed25519` is the name that RFC 9864 gives to what
/// most issuers call `EdDSA`.
pub(super) fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "EdDSA" | "Ed25519" => Some(Algorithm::EdDSA),
        "ES256" => Some(Algorithm::ES256),
        "RS256" => Some(Algorithm::RS256),
        _ => None,
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
