//! The platforms that tests run against.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use adapters::tokens::{KeyPair, Signer};
use lifecycle::Timestamp;
use local::Platform;
use local::options::Options;
use local::seed;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, OnceCell};

use super::{Api, skip, unlimited};

/// The workspace that the functions are built in.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The issuer and the audience that the template gives by default.
pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "serverless-api";

/// How long tokens last, in seconds.
const LIFETIME_S: i64 = 900;

/// Whose tokens they are where it does not matter: the first customer of the demo.
const SOMEBODY: &str = "00000000-0000-7000-8000-000000000001";

/// Where platforms live: a test's own runtime ends with the test, and the shared platform must not.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads can be had")
});

/// By these `cargo xtask privileges` asks for platforms whose functions lack a right, and for a file
/// with the rights that were made use of.
const WITHOUT: &str = "BLACKBOX_WITHOUT";
const USED_RIGHTS: &str = "BLACKBOX_USED_RIGHTS";

/// Says that the functions have been built, and need not be again.
const BUILT: &str = "BLACKBOX_BUILT";

/// A platform of this process, and the key that its tokens are signed with.
pub(crate) struct Inside {
    /// Taken when it stops.
    platform: Option<Platform>,
    keys: KeyPair,
    signer: Signer,
}

/// The API that most tests share: `API_URL`, or a platform with the demo's people and a rate limit
/// out of reach.
pub(crate) async fn shared() -> Api {
    static SHARED: OnceCell<Arc<Inside>> = OnceCell::const_new();
    if let Ok(url) = std::env::var("API_URL") {
        return Api::deployed(url);
    }
    let inside = SHARED.get_or_init(async || Arc::new(Inside::start(unlimited()).await)).await;
    Api::of(Arc::clone(inside))
}

/// A platform for one test, which ends with the test. Nothing where a deployment is tested: its
/// faults are not ours to ask for.
pub(crate) async fn own(options: Options) -> Option<Api> {
    if std::env::var_os("API_URL").is_some() {
        skip("a platform of its own");
        return None;
    }
    Some(Api::of(Arc::new(Inside::start(options).await)))
}

/// As [`own`], on a copy of the template that was changed.
pub(crate) async fn own_changed(
    options: Options,
    change: impl FnOnce(String) -> String,
) -> Option<Api> {
    let template = std::fs::read_to_string(Path::new(WORKSPACE).join("template.yaml"));
    let changed = change(template.expect("the workspace has a template"));
    let copy =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.yaml", super::unique("template")));
    std::fs::write(&copy, changed).expect("the folder for it is there");
    let (template, workspace) = (Some(copy.clone()), Some(WORKSPACE.into()));
    let api = own(Options { template, workspace, ..options }).await;
    std::fs::remove_file(copy).expect("nobody else knows it");
    api
}

/// Runs something that starts processes where they outlive the test's own runtime.
pub(crate) async fn in_background<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    RUNTIME.spawn(future).await.expect("it does not panic")
}

impl Inside {
    async fn start(mut options: Options) -> Self {
        let without = std::env::var(WITHOUT).ok();
        options.without.extend(without.map(|right| right.parse().expect("a right")));
        let platform = in_background(build_once(options)).await;
        let keys = seed::keys(platform.stores()).await.expect("a secret takes any text").signs;
        let signer = signer(&keys, ISSUER, AUDIENCE);
        Self { platform: Some(platform), keys, signer }
    }

    /// Notes which rights the functions have made use of so far, where that is asked for.
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
        self.platform.as_ref().expect("it is taken on drop only")
    }

    /// The public key that verifies the tokens, as a JSON Web Key.
    pub(crate) fn public_key(&self) -> &Value {
        &self.keys.verification
    }

    /// A token of somebody with these roles, as a sign-in gives it.
    pub(crate) fn token(&self, user_id: &str, roles: &[&str]) -> String {
        self.token_ending_in(LIFETIME_S, user_id, roles)
    }

    /// A token that ends so many seconds from now.
    pub(crate) fn token_ending_in(&self, seconds: i64, user_id: &str, roles: &[&str]) -> String {
        let signed = Timestamp::from(SystemTime::now()).plus_seconds(seconds - LIFETIME_S);
        sign(&self.signer, user_id, roles, signed)
    }

    /// A token of the right key, from this issuer, for this audience.
    pub(crate) fn token_from(&self, issuer: &str, audience: &str) -> String {
        let now = Timestamp::from(SystemTime::now());
        sign(&signer(&self.keys, issuer, audience), SOMEBODY, &["CUSTOMER"], now)
    }
}

impl Drop for Inside {
    /// In good order also where a test panics: no process is left behind.
    fn drop(&mut self) {
        if let Some(platform) = self.platform.take() {
            let stopping = std::thread::spawn(|| RUNTIME.block_on(platform.stop()));
            // What went wrong there does not concern the test, which is over.
            let _ = stopping.join();
        }
    }
}

/// A token by this pair of keys, otherwise like those that a sign-in gives.
pub(crate) fn token_by(keys: &KeyPair) -> String {
    let now = Timestamp::from(SystemTime::now());
    sign(&signer(keys, ISSUER, AUDIENCE), SOMEBODY, &["ADMIN"], now)
}

/// Starts a platform. The first one has cargo build the functions; the others find them built.
async fn build_once(mut options: Options) -> Platform {
    static DONE: Mutex<bool> = Mutex::const_new(false);
    // Cargo builds the functions of this package along with its tests.
    let of_package = options.template.is_some() && options.workspace.is_none();
    if !of_package && std::env::var_os(BUILT).is_none() {
        let mut built = DONE.lock().await;
        if !*built {
            let platform = Platform::start(options).await.expect("the platform starts");
            *built = true;
            return platform;
        }
    }
    options.no_build = true;
    Platform::start(options).await.expect("the platform starts")
}

fn signer(keys: &KeyPair, issuer: &str, audience: &str) -> Signer {
    Signer::from_secret(&keys.signing.to_string(), issuer, audience).expect("a key just made")
}

fn sign(signer: &Signer, user_id: &str, roles: &[&str], signed: Timestamp) -> String {
    let claims = json!({
        "sub": user_id, "roles": roles, "tier": "STANDARD", "emailVerified": true,
    });
    let claims = claims.as_object().expect("an object").clone();
    let lifetime_s = u32::try_from(LIFETIME_S).expect("it is small");
    signer.sign(&claims, signed, lifetime_s)
}
