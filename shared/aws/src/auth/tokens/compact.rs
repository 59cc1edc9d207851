//! A token split into its parts (RFC 7515, section 7.1), before it is verified.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::crypto;
use lifecycle::Claims;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::algorithms::algorithm;
use super::keys::PublicKey;

/// API Gateway accepts 10 240 bytes of request line and headers, so no legitimate token is longer.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Why a token is refused: a constant, which contains nothing of the token.
pub(super) type Reason = &'static str;

/// A parsed token. Its claims are not verified.
pub(super) struct Compact<'a> {
    header: Header,
    pub(super) claims: Claims,
    signed: &'a str,
    signature: &'a str,
}

/// The used members of a header. Locations of keys in it (`jwk`, `jku`, `x5u`) are ignored: keys
/// come only from the configured places.
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
        let (signed, signature) = token.rsplit_once('.').ok_or("it does not have three parts")?;
        let (header, claims) = signed.split_once('.').ok_or("it does not have three parts")?;
        // A dot is not a base64url character, so a fourth part is rejected here.
        let header: Header = part(header).ok_or("its header cannot be read")?;
        let claims = part(claims).ok_or("its payload cannot be read")?;
        if header.crit.is_some() {
            return Err("it has critical extensions, and we know none");
        }
        Ok(Self { header, claims, signed, signature })
    }

    /// The name of the key that signed it.
    pub(super) fn kid(&self) -> Result<&str, Reason> {
        self.header.kid.as_deref().ok_or("it names no key")
    }

    /// The type in the header in a comparable form: lower case, without `application/` (RFC 7515,
    /// section 4.1.9).
    pub(super) fn kind(&self) -> Option<String> {
        let kind = self.header.typ.as_ref()?.to_ascii_lowercase();
        Some(kind.strip_prefix("application/").unwrap_or(&kind).to_owned())
    }

    /// Checks that the signature is the key's.
    ///
    /// The key determines the algorithm, and the token must name the same one. So a public key is
    /// never used as a shared secret, and a signature is always required (RFC 8725, 3.1).
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

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
