//! The platforms that tests run against.

use std::path::Path;
use std::sync::Arc;

use emulator::options::Options;
use tokio::sync::OnceCell;

use super::{Api, InProcess, skip, unique, unlimited};

/// The workspace with the functions.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The API that most tests share: the one at `API_URL`, or a platform with the demo's users and an
/// unreachable rate limit.
pub(crate) async fn shared_platform() -> Api {
    static SHARED: OnceCell<Arc<InProcess>> = OnceCell::const_new();
    if let Ok(url) = std::env::var("API_URL") {
        return Api::deployed(url);
    }
    let inside = SHARED.get_or_init(async || Arc::new(InProcess::start(unlimited()).await)).await;
    Api::of(Arc::clone(inside))
}

/// A platform for one test, which ends with the test. `None` if a deployment is tested, because it
/// has no fault injection.
pub(crate) async fn fresh_platform(options: Options) -> Option<Api> {
    if std::env::var_os("API_URL").is_some() {
        skip("a separate platform");
        return None;
    }
    Some(Api::of(Arc::new(InProcess::start(options).await)))
}

/// As [`fresh_platform`], with a changed copy of the template.
pub(crate) async fn own_changed(
    options: Options,
    change: impl FnOnce(String) -> String,
) -> Option<Api> {
    let template = std::fs::read_to_string(Path::new(WORKSPACE).join("template.yaml"));
    let changed = change(template.expect("the workspace has a template"));
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.yaml", unique("template")));
    std::fs::write(&copy, changed).expect("the folder exists");
    let (template, workspace) = (Some(copy.clone()), Some(WORKSPACE.into()));
    let api = fresh_platform(Options { template, workspace, ..options }).await;
    std::fs::remove_file(copy).expect("the copy exists");
    api
}
