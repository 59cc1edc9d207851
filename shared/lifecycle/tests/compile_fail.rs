//! What the lifecycle promises not to compile.

#[test]
fn the_guarantees_of_the_lifecycle_are_kept_by_the_compiler() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/no_access.rs");
    cases.compile_fail("tests/compile_fail/no_allow.rs");
    cases.compile_fail("tests/compile_fail/no_conditions.rs");
    cases.compile_fail("tests/compile_fail/forged_permit.rs");
    cases.compile_fail("tests/compile_fail/input_output_in_decide.rs");
    cases.compile_fail("tests/compile_fail/not_an_endpoint.rs");
}
