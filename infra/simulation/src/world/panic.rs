//! Panics in the code of a test: in its operations, checks and upstreams.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of a test. A panic in a task of the world would otherwise only end that task, and the run
/// could end well.
///
/// # Errors
/// The message of a panic.
pub(super) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|panic| format!("it panicked: {}", message(&*panic)))
}

/// The message of a panic.
pub(super) fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(caught(|| 1), Ok(1));
        let text = caught(|| -> () { panic_any(format!("the page {}", 7)) });
        assert_eq!(text.unwrap_err(), "it panicked: the page 7");
        let constant = caught(|| -> () { panic_any("gone") });
        assert_eq!(constant.unwrap_err(), "it panicked: gone");
    }
}
