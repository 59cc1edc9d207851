//! Access tokens: JSON Web Tokens (RFC 7519) with keys that rotate.
//!
//! | secret | holds | read by |
//! |---|---|---|
//! | [`SIGNING_KEYS`](crate::SIGNING_KEYS) | `{"kid", "alg": "EdDSA", "privateKey", "next": {…}}`, keys as base64 of their PKCS #8 form | functions that sign |
//! | [`VERIFICATION_KEYS`](crate::VERIFICATION_KEYS) | `{"keys": […]}`, a JSON Web Key Set (RFC 7517) of public keys | functions that verify or publish |
//!
//! [`KeyRotation`](crate::KeyRotation) rotates the keys without an interruption. Three keys verify
//! at any time: the one that signs, the next one, and the previous one.
//!
//! A service that signs no tokens verifies by
//! [`Aws::outside_verifier`](crate::Aws::outside_verifier). Claims that only one service knows are
//! passed on if `ISSUERS` names them, or [`Verifier::passing_on`] for our own tokens. The service's
//! kind of caller reads and checks them:
//!
//! ```
//! use lifecycle::caller::{Identity, NoRole};
//! use lifecycle::{Claims, Timestamp, claims};
//!
//! #[derive(Clone)]
//! struct Member {
//!     id: String,
//!     tenant: u32,
//!     expires_at: Timestamp,
//! }
//!
//! impl Identity for Member {
//!     type Role = NoRole;
//!
//!     fn from_claims(claims: &Claims) -> Option<Self> {
//!         Some(Self {
//!             id: claims.get("sub")?.as_str()?.to_owned(),
//!             tenant: claims.get("tenant")?.as_str()?.parse().ok()?,
//!             expires_at: claims::date_passed_on(claims.get("exp")?)?,
//!         })
//!     }
//!
//!     fn expires_at(&self) -> Timestamp {
//!         self.expires_at
//!     }
//!
//!     fn subject(&self) -> String {
//!         self.id.clone()
//!     }
//!
//!     fn has(&self, role: NoRole) -> bool {
//!         match role {}
//!     }
//! }
//! ```

mod algorithms;
mod compact;
mod issuer;
mod key_ring;
mod keys;
mod named_claim;
mod outside_keys;
mod pair;
mod purpose;
mod signing;
pub(crate) mod trusted_issuers;
mod verifier;

#[cfg(test)]
mod tests;

pub use issuer::Issuer;
pub use key_ring::KeyRing;
pub use keys::{KeySet, PublishedKeys};
#[cfg(feature = "testing")]
pub(crate) use pair::of_tests;
pub use pair::{KeyPair, generate};
pub use signing::{Signer, SigningKeys};
pub use verifier::Verifier;

/// Lifetime of a session's token, in seconds.
pub const LIFETIME_S: u32 = 15 * 60;
/// How long clients may cache the published keys, in seconds.
pub const PUBLISHED_S: u64 = 300;
