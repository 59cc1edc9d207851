//! Dependencies between crates: arrows point down only.

use cargo_metadata::{DependencyKind, Metadata};

/// The crates that each crate may depend on, and whether it may use an SDK.
const ALLOWED: [(&str, &[&str], Sdk); 21] = [
    ("lifecycle", &[], Sdk::Never),
    ("domain", &["lifecycle"], Sdk::Never),
    ("aws", &["lifecycle"], Sdk::Always),
    ("client", &["domain", "lifecycle"], Sdk::Never),
    ("functions", &["aws", "domain", "lifecycle"], Sdk::Never),
    ("sam-template", &[], Sdk::Never),
    ("cargo-command", &[], Sdk::Never),
    ("emulator", &["cargo-command", "sam-template"], Sdk::InTests),
    ("testkit", &["emulator"], Sdk::Never),
    ("demo", &["aws", "domain", "emulator", "lifecycle", "sam-template"], Sdk::Never),
    ("operations", &["aws", "lifecycle"], Sdk::Never),
    ("ops", &["aws", "domain", "lifecycle", "operations"], Sdk::Never),
    ("tooling", &["cargo-command", "sam-template"], Sdk::Never),
    ("tooling-async", &["tooling"], Sdk::Never),
    // The lifecycle only in tests.
    ("cargo-lifecycle", &["lifecycle", "sam-template", "tooling"], Sdk::Never),
    ("xtask", &["cargo-lifecycle", "lifecycle", "sam-template", "tooling"], Sdk::Never),
    ("bench", &["aws", "demo", "domain", "lifecycle", "tooling", "tooling-async"], Sdk::Never),
    (
        "conformance",
        &["aws", "demo", "emulator", "lifecycle", "sam-template", "tooling", "tooling-async"],
        Sdk::Never,
    ),
    ("examples", &["aws", "lifecycle"], Sdk::Never),
    // For comparison with ours: only an SDK.
    ("bare", &[], Sdk::Always),
    (
        "blackbox",
        &[
            "aws",
            "client",
            "demo",
            "domain",
            "emulator",
            "lifecycle",
            "ops",
            "sam-template",
            "testkit",
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
    (is_sdk && !may).then(|| format!("crate {from} must not use {to}: only aws uses an SDK"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_that_points_up_or_at_an_sdk_is_found() {
        for (from, to, for_tests, found) in [
            ("functions", "lifecycle", false, false),
            ("lifecycle", "domain", false, true),
            ("domain", "aws", true, true),
            ("functions", "aws-sdk-dynamodb", false, true),
            ("aws", "aws-sdk-dynamodb", false, false),
            ("emulator", "aws-sdk-sqs", true, false),
            ("emulator", "aws-sdk-sqs", false, true),
            ("emulator", "domain", true, true),
            ("testkit", "emulator", false, false),
            ("testkit", "client", false, true),
            ("newcomer", "serde", false, true),
        ] {
            let arrow = Arrow { from: from.into(), to: to.into(), for_tests };
            assert_eq!(!upward(&[arrow]).is_empty(), found, "{from} on {to}");
        }
    }
}
