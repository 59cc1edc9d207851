//! Features of dependencies: builds of the whole workspace share them, and deployed functions lack
//! only reviewed ones.
//!
//! The `dev` profile builds with the features of all packages, so that functions, tests and tools
//! share each compiled dependency. Functions are deployed with their own features only. A feature
//! that changes the behaviour of linked code would make the tested functions others than the deployed
//! ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tooling::context::Context;
use tooling::{Error, cargo};

/// The platform that functions are deployed to.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Crates that have more features in a build of the workspace than deployed, with all features that
/// may be added, and the reason why linked code behaves the same.
const REVIEWED: [(&str, &[&str], &str); 25] = [
    (
        "lambda-lifecycle-aws",
        &["admin", "testing"],
        "adds operators' functions, and an adapter and a connector that only tests set",
    ),
    ("cc", &["parallel"], "compiles several C files at a time, with the same result"),
    (
        "chrono",
        &["default", "js-sys", "oldtime", "wasm-bindgen", "wasmbind"],
        "only for WebAssembly; oldtime has no effect, and default only names them",
    ),
    ("domain", &["examples"], "adds example records"),
    ("getrandom", &["std", "sys_rng"], "adds a type and an error conversion"),
    (
        "hashbrown",
        &["allocator-api2", "default", "default-hasher", "equivalent", "inline-more", "raw-entry"],
        "adds methods and a default type parameter, and inlines more",
    ),
    ("hyper", &["http2"], "adds a protocol; connectors of functions ask for HTTP/1.1 alone"),
    (
        "hyper-util",
        &["client-proxy", "http2", "server-auto", "server-graceful", "service"],
        "adds a server, and modules for proxies; the Runtime API is spoken to over plain TCP, where \
         no HTTP/2 is negotiated",
    ),
    ("indexmap", &["serde"], "adds implementations"),
    (
        "lambda-lifecycle",
        &["examples", "testing"],
        "adds the shared parts of tests, and a clock and surroundings that only tests set",
    ),
    (
        "lambda_runtime_api_client",
        &["default", "tracing"],
        "adds a logger that functions do not start",
    ),
    ("num-iter", &["i128", "std"], "adds implementations; i128 has no effect any more"),
    ("num-traits", &["default"], "only names std, which is on in both"),
    ("schemars", &["chrono04"], "adds implementations for types of chrono"),
    ("semver", &["serde"], "adds implementations; only build scripts of functions' crates use it"),
    ("serde_json", &["unbounded_depth"], "adds a method that lifts the limit; nothing calls it"),
    ("slab", &["default"], "only names std, which is on in both"),
    ("subtle", &["default", "std"], "adds implementations"),
    ("sync_wrapper", &["futures", "futures-core"], "adds implementations"),
    (
        "tokio",
        &[
            "full",
            "io-std",
            "parking_lot",
            "process",
            "signal",
            "signal-hook-registry",
            "test-util",
        ],
        "adds modules, and a clock that functions never move; parking_lot replaces the locks inside",
    ),
    ("tokio-util", &["codec", "libc"], "adds a module; libc has no effect without others"),
    (
        "tower",
        &["log", "make", "retry", "timeout", "tokio", "tracing"],
        "adds layers that functions do not use; log only forwards to tracing, which has it in both",
    ),
    ("tracing-core", &["default"], "only names std, which is on in both"),
    (
        "tracing-subscriber",
        &[
            "env-filter",
            "fmt",
            "json",
            "matchers",
            "once_cell",
            "serde",
            "serde_json",
            "tracing",
            "tracing-serde",
        ],
        "adds layers and filters; functions have their own layer",
    ),
    ("uuid", &["sha1", "v5"], "adds a constructor"),
];

/// The features of each crate.
type Features = BTreeMap<String, BTreeSet<String>>;

/// The features that differ and should not.
pub(super) fn complaints(workspace: &Path) -> Vec<String> {
    match read(workspace) {
        Ok([deployed, built, tested, fuzzed]) => {
            let mut complaints = unshared(&built, &tested, "dev-dependencies");
            complaints.extend(unshared(&built, &fuzzed, "programs with libFuzzer"));
            complaints.extend(unreviewed(&deployed, &built, &REVIEWED));
            complaints
        }
        Err(error) => vec![format!("features of dependencies: {error}")],
    }
}

/// The features of the deployed functions, of a build of the workspace, of its tests, and of the
/// programs of `cargo xtask fuzz`.
fn read(workspace: &Path) -> Result<[Features; 4], Error> {
    let built = "normal,build";
    let libfuzzer = ["--workspace", "--features", "store-fuzz/libfuzzer", "--edges", built];
    let mut fuzzed = tree(workspace, &libfuzzer)?;
    // The feature is its own, and its library is compiled for the programs in any case.
    fuzzed.retain(|package, _| !package.starts_with("store-fuzz "));
    Ok([
        tree(workspace, &["--package", "functions", "--edges", built])?,
        tree(workspace, &["--workspace", "--edges", built])?,
        tree(workspace, &["--workspace", "--edges", "normal,build,dev"])?,
        fuzzed,
    ])
}

fn tree(workspace: &Path, selected: &[&str]) -> Result<Features, Error> {
    let tree = cargo(workspace)
        .args(["tree", "--target", PLATFORM, "--prefix", "none"])
        .args(["--format", "{p}|{f}"])
        .args(selected)
        .output()
        .context(|| "cargo tree")?;
    if !tree.status.success() {
        return Err(String::from_utf8_lossy(&tree.stderr).into());
    }
    Ok(parse(&String::from_utf8(tree.stdout)?))
}

/// Reads lines such as `tokio v1.54.1|macros,rt`. Two versions of a crate are two crates.
fn parse(lines: &str) -> Features {
    let mut all = Features::new();
    for line in lines.lines() {
        let Some((package, features)) = line.split_once('|') else { continue };
        let name_and_version = package.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let features = features.split([',', ' ']).filter(|one| !one.is_empty() && *one != "(*)");
        all.entry(name_and_version).or_default().extend(features.map(str::to_owned));
    }
    all
}

/// The features of `more` that `less` lacks, for each crate that both have.
fn added<'a>(less: &'a Features, more: &'a Features) -> Vec<(&'a str, Vec<&'a str>)> {
    let added = more.iter().filter_map(|(package, features)| {
        let known = less.get(package)?;
        let added: Vec<_> = features.difference(known).map(String::as_str).collect();
        (!added.is_empty()).then_some((package.as_str(), added))
    });
    added.collect()
}

/// The features that only another build than the usual one has, by the reason of it. Crates that have
/// them are compiled twice.
fn unshared(built: &Features, other: &Features, reason: &str) -> Vec<String> {
    let sentence = |(package, features): (&str, Vec<&str>)| {
        let features = features.join(", ");
        format!(
            "{package}: only {reason} turn on {features}, so that it is compiled twice: turn it on in \
             tests/Cargo.toml, too, in [dependencies] or [build-dependencies]"
        )
    };
    added(built, other).into_iter().map(sentence).collect()
}

/// The features that only deployed functions lack, without a review, and reviewed ones that
/// differ no longer.
fn unreviewed(
    deployed: &Features,
    built: &Features,
    reviewed: &[(&str, &[&str], &str)],
) -> Vec<String> {
    let mut complaints = Vec::new();
    let added = added(deployed, built);
    let name = |package: &str| package.split(' ').next().unwrap_or_default().to_owned();
    for (package, features) in &added {
        let entry = reviewed.iter().find(|(crate_name, ..)| *crate_name == name(package));
        let allowed = entry.map_or(&[][..], |entry| entry.1);
        for feature in features.iter().filter(|feature| !allowed.contains(feature)) {
            complaints.push(format!(
                "{package}: deployed functions lack {feature}, which tested ones have: turn it on or \
                 off in both, or add it to infra/xtask/src/tidy/features.rs with a reason"
            ));
        }
    }
    for (crate_name, features, _) in reviewed {
        let differs = |feature: &&&str| {
            added
                .iter()
                .any(|(package, found)| name(package) == *crate_name && found.contains(*feature))
        };
        for feature in features.iter().filter(|feature| !differs(feature)) {
            complaints.push(format!(
                "infra/xtask/src/tidy/features.rs: {feature} of {crate_name} does not differ any more"
            ));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: [(&str, &[&str], &str); 1] = [("tokio", &["full"], "adds modules")];

    fn found(deployed: &str, built: &str) -> Vec<String> {
        unreviewed(&parse(deployed), &parse(built), &LIST)
    }

    #[test]
    fn a_feature_that_only_tested_functions_have_is_found_unless_reviewed() {
        let deployed = "tokio v1.0.0|rt\nserde_json v1.0.0|std\n";
        let reviewed = "tokio v1.0.0|full,rt\nserde_json v1.0.0|std (*)\nclap v4.0.0|std\n";
        assert_eq!(found(deployed, reviewed), Vec::<String>::new());
        let unreviewed = "tokio v1.0.0|full,rt\nserde_json v1.0.0|arbitrary_precision,std\n";
        let found = found(deployed, unreviewed);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("lack arbitrary_precision"), "{found:?}");
    }

    #[test]
    fn a_reviewed_feature_that_differs_no_longer_is_found() {
        let found = found("tokio v1.0.0|full,rt\n", "tokio v1.0.0|full,rt\n");
        assert!(found[0].contains("full of tokio does not differ"), "{found:?}");
    }

    #[test]
    fn a_feature_that_only_another_build_has_is_found() {
        let built = parse("tokio v1.0.0 (path)|rt\n");
        let tested = parse("tokio v1.0.0 (path)|rt,test-util\nproptest v1.0.0|std\n");
        let found = unshared(&built, &tested, "dev-dependencies");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("only dev-dependencies turn on test-util"), "{found:?}");
    }
}
