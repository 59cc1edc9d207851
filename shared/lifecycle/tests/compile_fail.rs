//! Misuses of the lifecycle that must not compile, with the compiler's messages.
//!
//! The messages of our traits name the stage and the remedy. An undeclared table, queue or secret is
//! found at run time only: its use is a value of [`Effects`](lifecycle::Effects), or a call of the
//! adapter.

use std::env;
use std::process::Command;

/// The variable of the compiler's flags, with the separator of its values: cargo prefers it to all settings.
const FLAGS: &str = "CARGO_ENCODED_RUSTFLAGS";
/// The flags with which `trybuild` compiles the cases. It compiles their dependencies once with them and once
/// without the last, unless all have the same.
const OF_CASES: [&str; 5] =
    ["--cfg=trybuild", "--verbose", "-A", "dead_code", "--diagnostic-width=140"];

#[test]
fn misuses_of_the_lifecycle_do_not_compile() {
    if env::var_os(FLAGS).is_some() {
        trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
        return;
    }
    let mut this = Command::new(env::current_exe().expect("a running program"));
    this.args(env::args_os().skip(1)).env(FLAGS, OF_CASES.join("\x1f"));
    let ended = this.status().expect("the test runs again");
    assert!(ended.success(), "{ended}");
}
