//! Common parts of the tests: an API to call, its platform, and the steps of its users.

mod answer;
mod api;
mod call;
mod checks;
mod control;
mod day;
mod document;
mod newsroom;
mod operations;
mod platform;
mod refused;
mod settings;
mod shop;
mod start;
mod wait;

pub(crate) use self::answer::ApiResponse;
pub(crate) use self::api::{Api, PASSWORD};
pub(crate) use self::call::Call;
pub(crate) use self::checks::complaint;
pub(crate) use self::control::Control;
pub(crate) use self::day::{scan, text, unlimited, until};
pub(crate) use self::document::{DOCUMENT, resolved, violation};
pub(crate) use self::newsroom::{Article, someone};
pub(crate) use self::operations::operate;
pub(crate) use self::platform::{AUDIENCE, ISSUER, InProcess, in_background, token_by};
pub(crate) use self::refused::Refused;
pub(crate) use self::settings::asked_for;
pub(crate) use self::shop::{
    ADDRESS, CUSTOMER, euros, home, lamp, new_address, new_product, order_of, proof_in, read,
    unique, unique_email, unique_object, user,
};
pub(crate) use self::start::{fresh_platform, own_changed, shared_platform};
pub(crate) use self::wait::{eventually, until_done, when};

/// Reports on the terminal that the running test needs more than a deployment has. With `STRICT=1`,
/// as in CI, the test fails.
pub(crate) fn skip(needs: &str) {
    use std::io::Write as _;
    let test = std::thread::current();
    let test = test.name().unwrap_or("a test");
    let is_strict = std::env::var("STRICT").is_ok_and(|strict| strict == "1");
    assert!(!is_strict, "{test} is skipped: it needs {needs}");
    // Written past the capture of test output, which hides the output of successful tests.
    let _ = writeln!(std::io::stderr(), "skipped {test}: it needs {needs}");
}
