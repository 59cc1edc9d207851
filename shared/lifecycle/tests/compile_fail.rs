//! Misuses of the lifecycle that must not compile.

#[test]
fn misuses_of_the_lifecycle_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/no_access.rs");
    cases.compile_fail("tests/compile_fail/no_allow.rs");
    cases.compile_fail("tests/compile_fail/no_conditions.rs");
    cases.compile_fail("tests/compile_fail/forged_permit.rs");
    cases.compile_fail("tests/compile_fail/input_output_in_decide.rs");
    cases.compile_fail("tests/compile_fail/not_an_endpoint.rs");
}
