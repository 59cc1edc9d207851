//! A platform in the process of the tests, and the tokens that it accepts.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::LazyLock;

use aws::tokens::{KeyPair, Signer};
use demo::seed;
use emulator::Platform;
use emulator::options::Options;
use lifecycle::{Timestamp, clock};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;

/// The issuer and the audience that the template sets by default.
pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "serverless-api";

/// Lifetime of tokens, in seconds.
const LIFETIME_S: i64 = 900;

/// The user of a token if the user does not matter: the first customer of the demo.
const SOMEBODY: &str = "00000000-0000-7000-8000-000000000001";

/// The runtime of the platforms. A test's runtime ends with the test, but the shared platform must
/// not.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads can be started")
});

/// `cargo xtask privileges` sets these: a permission that the functions must lack, and a file for
/// the permissions that they have used.
const WITHOUT: &str = "TEST_DENY";
const USED_RIGHTS: &str = "TEST_USED_PERMISSIONS";

/// Set if the functions have been built already.
const BUILT: &str = "TEST_BUILT";

/// A platform in this process, and the key that signs its tokens.
pub(crate) struct InProcess {
    /// `None` once it has stopped.
    platform: Option<Platform>,
    keys: KeyPair,
    signer: Signer,
}

/// Runs a future that starts processes, so that they outlive the test's runtime.
pub(crate) async fn in_background<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    RUNTIME.spawn(future).await.expect("the future does not panic")
}

impl InProcess {
    pub(super) async fn start(mut options: Options) -> Self {
        let without = std::env::var(WITHOUT).ok();
        options.without.extend(without.map(|right| right.parse().expect("a permission")));
        let platform = in_background(build_once(options)).await;
        let keys = seed::keys(platform.stores()).await.expect("a secret accepts any text").signs;
        let signer = signer(&keys, ISSUER, AUDIENCE);
        Self { platform: Some(platform), keys, signer }
    }

    /// Appends the permissions that functions have used so far to a file, if one is set.
    pub(super) fn note_used_rights(&self) {
        if let Some(path) = std::env::var_os(USED_RIGHTS) {
            let file = OpenOptions::new().append(true).create(true).open(path);
            let mut file = file.expect("the file can be written");
            for right in self.platform().stores().used_rights() {
                writeln!(file, "{right}").expect("the file can be written");
            }
        }
    }

    pub(crate) fn platform(&self) -> &Platform {
        self.platform.as_ref().expect("it is taken only on drop")
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

impl Drop for InProcess {
    /// Stops the platform even if a test panics, so that no process is left.
    fn drop(&mut self) {
        if let Some(platform) = self.platform.take() {
            let stopping = std::thread::spawn(|| RUNTIME.block_on(platform.stop()));
            // A failure to stop does not concern the test, which is over.
            let _ = stopping.join();
        }
    }
}

/// A token signed by this key pair, otherwise like a sign-in's.
pub(crate) fn token_by(keys: &KeyPair) -> String {
    let now = clock::now();
    sign(&signer(keys, ISSUER, AUDIENCE), SOMEBODY, &["ADMIN"], now)
}

/// Starts a platform. The first one builds the functions with cargo; later ones use them.
async fn build_once(mut options: Options) -> Platform {
    static DONE: Mutex<bool> = Mutex::const_new(false);
    // Cargo builds the functions of this package along with its tests.
    let of_package = options.template.is_some() && options.workspace.is_none();
    if !of_package && std::env::var_os(BUILT).is_none() {
        let mut built = DONE.lock().await;
        if !*built {
            let platform = demo::start(options).await.expect("the platform starts");
            *built = true;
            return platform;
        }
    }
    options.no_build = true;
    demo::start(options).await.expect("the platform starts")
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
