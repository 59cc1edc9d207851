//! Access tokens: JSON Web Tokens (RFC 7519) with keys that rotate.
//!
//! | secret | holds | read by |
//! |---|---|---|
//! | [`SIGNING_KEYS`](crate::SIGNING_KEYS) | `{"kid", "alg": "EdDSA", "privateKey", "next": {…}}`, keys as base64 of their PKCS #8 form | whoever signs |
//! | [`VERIFICATION_KEYS`](crate::VERIFICATION_KEYS) | `{"keys": […]}`, a JSON Web Key Set (RFC 7517) of public keys | whoever verifies or publishes |
//!
//! Keys rotate without anybody noticing because three of them verify at any time: the one that
//! signs, the one that is going to, and the one that has. [`KeyRotation`](crate::KeyRotation)
//! does it.

mod compact;
mod keys;
pub(crate) mod outside;
mod pair;
mod purpose;
mod signing;
mod succession;
mod verifier;

#[cfg(test)]
mod tests;

pub use keys::{KeySet, PublishedKeys};
pub use pair::{KeyPair, generate};
pub use signing::{Signer, SigningKeys};
pub use succession::Succession;
pub use verifier::{Issuer, Verifier};

/// For how long a session's token lasts, in seconds.
pub const LIFETIME_S: u32 = 15 * 60;
/// For how long anybody may keep the published keys, in seconds.
pub const PUBLISHED_S: u64 = 300;
