//! Dependencies between crates: arrows point down only.

use cargo_metadata::{DependencyKind, Metadata};

/// The packages that each package may depend on, and whether it may use an SDK.
const ALLOWED: [(&str, &[&str], Sdk); 26] = [
    ("lambda-lifecycle", &[], Sdk::Never),
    ("domain", &["lambda-lifecycle"], Sdk::Never),
    ("lambda-lifecycle-aws", &["lambda-lifecycle"], Sdk::Always),
    ("client", &["domain", "lambda-lifecycle"], Sdk::Never),
    ("functions", &["lambda-lifecycle-aws", "domain", "lambda-lifecycle"], Sdk::Never),
    ("sam-template", &[], Sdk::Never),
    (
        "lambda-simulation",
        &["lambda-lifecycle", "lambda-lifecycle-aws", "sam-template"],
        Sdk::Never,
    ),
    ("lambda-lifecycle-cargo", &[], Sdk::Never),
    ("lambda-emulator", &["lambda-lifecycle-cargo", "sam-template"], Sdk::InTests),
    ("lambda-testkit", &["lambda-emulator"], Sdk::Never),
    (
        "demo",
        &["lambda-lifecycle-aws", "domain", "lambda-emulator", "lambda-lifecycle", "sam-template"],
        Sdk::Never,
    ),
    ("operations", &["lambda-lifecycle-aws", "lambda-lifecycle"], Sdk::Never),
    ("ops", &["lambda-lifecycle-aws", "domain", "lambda-lifecycle", "operations"], Sdk::Never),
    ("lambda-lifecycle-tooling", &["lambda-lifecycle-cargo"], Sdk::Never),
    ("house", &["lambda-lifecycle-tooling", "sam-template"], Sdk::Never),
    ("tooling-async", &["lambda-lifecycle-tooling"], Sdk::Never),
    // The lifecycle only in tests.
    (
        "cargo-lifecycle",
        &["lambda-lifecycle", "sam-template", "lambda-lifecycle-tooling"],
        Sdk::Never,
    ),
    (
        "xtask",
        &[
            "cargo-lifecycle",
            "house",
            "lambda-lifecycle",
            "sam-template",
            "lambda-lifecycle-tooling",
        ],
        Sdk::Never,
    ),
    (
        "bench",
        &[
            "lambda-lifecycle-aws",
            "demo",
            "domain",
            "house",
            "lambda-lifecycle",
            "lambda-lifecycle-tooling",
            "tooling-async",
        ],
        Sdk::Never,
    ),
    (
        "conformance",
        &[
            "lambda-lifecycle-aws",
            "demo",
            "house",
            "lambda-emulator",
            "lambda-lifecycle",
            "sam-template",
            "lambda-lifecycle-tooling",
            "tooling-async",
        ],
        Sdk::Never,
    ),
    (
        "simulate",
        &[
            "lambda-lifecycle-aws",
            "domain",
            "house",
            "lambda-lifecycle",
            "lambda-simulation",
            "sam-template",
            "lambda-lifecycle-tooling",
        ],
        Sdk::Never,
    ),
    (
        "store-functions",
        &["lambda-lifecycle-aws", "domain", "lambda-lifecycle", "simulate"],
        Sdk::Never,
    ),
    (
        "store-fuzz",
        &[
            "lambda-lifecycle-aws",
            "lambda-lifecycle",
            "lambda-simulation",
            "sam-template",
            "simulate",
            "store-functions",
            "lambda-lifecycle-tooling",
        ],
        Sdk::Never,
    ),
    ("examples", &["lambda-lifecycle-aws", "lambda-lifecycle"], Sdk::Never),
    // For comparison with ours: only an SDK.
    ("bare", &[], Sdk::Always),
    (
        "blackbox",
        &[
            "lambda-lifecycle-aws",
            "client",
            "demo",
            "domain",
            "lambda-emulator",
            "lambda-lifecycle",
            "ops",
            "sam-template",
            "lambda-testkit",
        ],
        Sdk::InTests,
    ),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sdk {
    Never,
    InTests,
    Always,
}

/// A dependency of a workspace crate.
pub(super) struct Arrow {
    from: String,
    to: String,
    for_tests: bool,
}

pub(super) fn of(metadata: &Metadata) -> Vec<Arrow> {
    let packages = metadata.workspace_packages().into_iter();
    packages
        .flat_map(|package| {
            package.dependencies.iter().map(|dependency| Arrow {
                from: package.name.to_string(),
                to: dependency.name.clone(),
                for_tests: dependency.kind == DependencyKind::Development,
            })
        })
        .collect()
}

/// The dependencies that are not allowed.
pub(super) fn upward(arrows: &[Arrow]) -> Vec<String> {
    arrows.iter().filter_map(complaint).collect()
}

fn complaint(Arrow { from, to, for_tests }: &Arrow) -> Option<String> {
    let Some((_, below, sdk)) = ALLOWED.iter().find(|(name, ..)| name == from) else {
        return Some(format!(
            "crate {from} is missing from ALLOWED in infra/xtask/src/tidy/arrows.rs"
        ));
    };
    let ours = ALLOWED.iter().any(|(name, ..)| name == to);
    // A crate may depend on itself in tests, with other features.
    if ours && !below.contains(&to.as_str()) && !(*for_tests && from == to) {
        return Some(format!("crate {from} must not depend on {to}: arrows point down only"));
    }
    let is_sdk = to.starts_with("aws-sdk-") || to.starts_with("aws-smithy-") || to == "aws-config";
    let may = *sdk == Sdk::Always || (*sdk == Sdk::InTests && *for_tests);
    (is_sdk && !may)
        .then(|| format!("crate {from} must not use {to}: only lambda-lifecycle-aws uses an SDK"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_that_points_up_or_at_an_sdk_is_found() {
        for (from, to, for_tests, found) in [
            ("functions", "lambda-lifecycle", false, false),
            ("lambda-lifecycle", "domain", false, true),
            ("domain", "lambda-lifecycle-aws", true, true),
            ("functions", "aws-sdk-dynamodb", false, true),
            ("lambda-lifecycle-aws", "aws-sdk-dynamodb", false, false),
            ("lambda-emulator", "aws-sdk-sqs", true, false),
            ("lambda-emulator", "aws-sdk-sqs", false, true),
            ("lambda-emulator", "domain", true, true),
            ("lambda-testkit", "lambda-emulator", false, false),
            ("lambda-testkit", "client", false, true),
            ("newcomer", "serde", false, true),
        ] {
            let arrow = Arrow { from: from.into(), to: to.into(), for_tests };
            assert_eq!(!upward(&[arrow]).is_empty(), found, "{from} on {to}");
        }
    }
}
