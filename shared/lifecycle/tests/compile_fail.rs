//! Misuses of the lifecycle that must not compile, with the compiler's messages.
//!
//! The messages of our traits name the stage and the remedy. An undeclared table, queue or secret is
//! found at run time only: its use is a value of [`Effects`](lifecycle::Effects), or a call of the
//! adapter.

#[test]
fn misuses_of_the_lifecycle_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
