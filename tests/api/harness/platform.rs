//! A platform of the store in the process of the tests, and the tokens that it accepts.

use aws::tokens::{KeyPair, Signer};
use demo::seed::{self, SeedError};
use emulator::Platform;
use lifecycle::{Timestamp, clock};
use serde_json::{Value, json};
use testkit::Running;

/// The issuer and the audience that the template sets by default.
pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "serverless-api";

/// Lifetime of tokens, in seconds.
const LIFETIME_S: i64 = 900;

/// The user of a token if the user does not matter: the first customer of the demo.
const SOMEBODY: &str = "00000000-0000-7000-8000-000000000001";

/// A platform in this process, and the key that signs its tokens.
pub(crate) struct InProcess {
    platform: Platform,
    keys: KeyPair,
    signer: Signer,
}

impl Running for InProcess {
    fn platform(&self) -> &Platform {
        &self.platform
    }

    fn into_platform(self) -> Platform {
        self.platform
    }
}

impl InProcess {
    /// Gives a platform new keys.
    pub(super) async fn of(platform: Platform) -> Result<Self, SeedError> {
        let keys = seed::keys(platform.stores()).await?.signs;
        let signer = signer(&keys, ISSUER, AUDIENCE);
        Ok(Self { platform, keys, signer })
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The public key that verifies the tokens, as a JSON Web Key.
    pub(crate) fn public_key(&self) -> &Value {
        &self.keys.verification
    }

    /// The time on the platform's clock.
    pub(crate) fn now(&self) -> Timestamp {
        clock::now().plus_seconds(self.platform().clock().offset_s().into())
    }

    /// A token of a user with these roles, as a sign-in issues it.
    pub(crate) fn token(&self, user_id: &str, roles: &[&str]) -> String {
        self.token_ending_in(LIFETIME_S, user_id, roles)
    }

    /// A token that expires after this many seconds.
    pub(crate) fn token_ending_in(&self, seconds: i64, user_id: &str, roles: &[&str]) -> String {
        let signed = self.now().plus_seconds(seconds - LIFETIME_S);
        sign(&self.signer, user_id, roles, signed)
    }

    /// A token of the right key, with this issuer and audience.
    pub(crate) fn token_from(&self, issuer: &str, audience: &str) -> String {
        sign(&signer(&self.keys, issuer, audience), SOMEBODY, &["CUSTOMER"], self.now())
    }
}

/// A token signed by this key pair, otherwise like a sign-in's.
pub(crate) fn token_by(keys: &KeyPair) -> String {
    let now = clock::now();
    sign(&signer(keys, ISSUER, AUDIENCE), SOMEBODY, &["ADMIN"], now)
}

fn signer(keys: &KeyPair, issuer: &str, audience: &str) -> Signer {
    Signer::from_secret(&keys.signing.to_string(), issuer, audience)
        .expect("the key was just generated")
}

fn sign(signer: &Signer, user_id: &str, roles: &[&str], signed: Timestamp) -> String {
    let claims = json!({
        "sub": user_id, "roles": roles, "tier": "STANDARD", "emailVerified": true,
    });
    let claims = claims.as_object().expect("an object").clone();
    let lifetime_s = u32::try_from(LIFETIME_S).expect("the lifetime fits");
    signer.sign(&claims, signed, lifetime_s)
}
