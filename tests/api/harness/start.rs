//! The platforms that tests run against.

use std::path::Path;
use std::sync::LazyLock;

use emulator::BoxError;
use emulator::options::Options;
use testkit::{Description, Suite, SystemUnderTest};

use super::{Api, DESCRIPTION, InProcess, unlimited};

/// The workspace with the functions.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

static STORE: Suite<Store> = Suite::new(Store);

/// The store.
struct Store;

impl SystemUnderTest for Store {
    type Running = InProcess;

    async fn start(&self, options: Options) -> Result<InProcess, BoxError> {
        Ok(InProcess::of(demo::start(options).await?).await?)
    }

    fn shared_options(&self) -> Options {
        unlimited()
    }

    fn description(&self) -> Option<&'static Description> {
        Some(LazyLock::force(&DESCRIPTION))
    }
}

/// The API that most tests share: the one at `API_URL`, or a platform with the demo's users and an
/// unreachable rate limit.
pub(crate) async fn shared_platform() -> Api {
    Api::of(STORE.shared_platform().await)
}

/// A platform for one test, which ends with the test. `None` if a deployment is tested, because it
/// has no fault injection.
pub(crate) async fn fresh_platform(options: Options) -> Option<Api> {
    STORE.fresh_platform(options).await.map(Api::of)
}

/// As [`fresh_platform`], with a changed copy of the template.
pub(crate) async fn changed_platform(
    options: Options,
    change: impl FnOnce(String) -> String,
) -> Option<Api> {
    let template = std::fs::read_to_string(Path::new(WORKSPACE).join("template.yaml"));
    let changed = change(template.expect("the workspace has a template"));
    let options = Options { workspace: Some(WORKSPACE.into()), ..options };
    STORE.fresh_with_template(&changed, options).await.map(Api::of)
}
