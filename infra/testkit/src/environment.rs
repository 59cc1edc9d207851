//! The environment variables of a run, and reports about it.

use std::fs::OpenOptions;
use std::io::Write as _;

use uuid::Uuid;

/// The base URL of the API under test, without a slash at its end. `None` if platforms are started.
pub(crate) fn api_url() -> Option<String> {
    std::env::var("API_URL").ok().map(|url| url.trim_end_matches('/').to_owned())
}

/// Whether the functions have been built already.
pub(crate) fn is_built() -> bool {
    std::env::var_os("TEST_BUILT").is_some()
}

/// A permission that the functions must lack.
pub(crate) fn denied() -> Option<String> {
    std::env::var("TEST_DENY").ok()
}

/// Appends permissions to the file for used ones, if there is one.
pub(crate) fn note_used_permissions(used: impl FnOnce() -> Vec<String>) {
    if let Some(path) = std::env::var_os("TEST_USED_PERMISSIONS") {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let mut file = file.expect("the file can be written");
        for permission in used() {
            writeln!(file, "{permission}").expect("the file can be written");
        }
    }
}

/// A setting of a run, such as its size or its seed: the number in an environment variable, or the
/// default.
///
/// ```
/// // `NOTES_COUNT=1000 cargo test` sets it.
/// assert_eq!(testkit::setting("NOTES_COUNT", 100), 100);
/// ```
pub fn setting(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// A text that no other test has: `lamp-0190…`, with 32 hexadecimal digits.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", Uuid::new_v4().simple())
}

/// Reports on the terminal that the running test needs more than a deployment has, in one line:
/// `skipped NAME: it needs …`. The test then returns.
///
/// # Panics
/// With `STRICT=1`: there, a skipped test is a failed one.
pub fn skip(needs: &str) {
    let test = std::thread::current();
    let test = test.name().unwrap_or("a test");
    let is_strict = std::env::var("STRICT").is_ok_and(|strict| strict == "1");
    assert!(!is_strict, "{test} is skipped: it needs {needs}");
    // Written past the capture of test output, which hides the output of successful tests.
    let _ = writeln!(std::io::stderr(), "skipped {test}: it needs {needs}");
}
