//! `cargo xtask supply-chain`: checks the linked packages' sources, licences and known
//! vulnerabilities.
//!
//! cargo-deny makes the checks. The software bill of materials (`CycloneDX`) lists the packages
//! that the functions link. It is built from cargo's output: the usual tool for it takes minutes to
//! compile. It is the same for the same `Cargo.lock`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use house::tools;
use serde::Deserialize;
use serde_json::{Value, json};
use tooling::context::Context;
use tooling::process::succeeded;
use tooling::{Error, cargo, say, target_directory};

/// The target platform whose dependencies are listed.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";
/// The package that is deployed.
const DEPLOYED: &str = "functions";

/// Runs all checks and writes the bill of materials. Advisories are checked if their database can
/// be fetched; with `advisories`, a failed fetch is an error.
///
/// # Errors
///
/// If a tool cannot be installed, or a check fails.
pub(crate) fn check(workspace: &Path, advisories: bool) -> Result<(), Error> {
    let programs = tools::installed(workspace, "cargo_deny")?;
    let deny = |arguments: &[&str]| -> Result<Command, Error> {
        let mut command = cargo(workspace);
        command.env("PATH", first_on_path(&programs)?).args(["deny", "--locked"]).args(arguments);
        Ok(command)
    };
    let refused = ["licenses", "bans", "sources"];
    succeeded(deny(&["check", "--allow", "license-not-encountered"])?.args(refused))?;
    let fetched = deny(&["fetch", "db"])?.output().context(|| "cargo deny fetch db")?;
    if fetched.status.success() {
        succeeded(&mut deny(&["check", "advisories"])?)?;
    } else if advisories {
        return Err(String::from_utf8_lossy(&fetched.stderr).into());
    } else {
        say("skipped: advisories: their database cannot be fetched");
    }
    let path = write(workspace)?;
    say(&format!("{} lists the crates that the functions link", path.display()));
    Ok(())
}

/// The response of the schema library.
#[derive(Deserialize)]
struct Judged {
    complaint: Option<String>,
}

/// Writes the bill of materials below `target`, after validation against the schema of `CycloneDX`.
///
/// # Errors
///
/// If cargo fails or the bill is not valid.
pub(crate) fn write(workspace: &Path) -> Result<PathBuf, Error> {
    let bill = serde_json::to_string_pretty(&bill(workspace)?)?;
    let judged: Judged = tools::ask(workspace, "cyclonedx", "sbom.py", &json!({ "sbom": bill }))?;
    if let Some(complaint) = judged.complaint {
        return Err(format!("the bill of materials: {complaint}").into());
    }
    let path = target_directory(workspace)?.join("sbom.cdx.json");
    fs_err::write(&path, bill)?;
    Ok(path)
}

fn bill(workspace: &Path) -> Result<Value, Error> {
    let metadata = MetadataCommand::new()
        .current_dir(workspace)
        .other_options(vec!["--locked".to_owned(), format!("--filter-platform={PLATFORM}")])
        .exec()?;
    let linked = linked(workspace)?;
    let checksums = checksums(&fs_err::read_to_string(workspace.join("Cargo.lock"))?)?;
    let mut packages: Vec<&Package> =
        metadata.packages.iter().filter(|package| linked.contains(&id_of(package))).collect();
    packages.sort_by_key(|package| id_of(package));
    let (deployed, others): (Vec<&Package>, Vec<&Package>) =
        packages.iter().partition(|package| package.name.as_str() == DEPLOYED);
    let deployed = deployed.first().ok_or("cargo tree lists no package of functions")?;
    let component = |package: &Package| component(package, checksums.get(&id_of(package)));
    let mut main = component(deployed);
    main["type"] = json!("application");
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": main },
        "components": others.into_iter().map(component).collect::<Vec<_>>(),
        "dependencies": dependencies(&metadata, &packages),
    }))
}

/// Name and version of a package, as `cargo tree` prints them.
fn id_of(package: &Package) -> String {
    format!("{} v{}", package.name, package.version)
}

fn reference(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}

/// The packages that the functions link, with their features.
fn linked(workspace: &Path) -> Result<BTreeSet<String>, Error> {
    let tree = cargo(workspace)
        .args(["tree", "--locked", "--package", DEPLOYED, "--edges", "normal"])
        .args(["--target", PLATFORM, "--prefix", "none", "--format", "{p}"])
        .output()
        .context(|| "cargo tree")?;
    if !tree.status.success() {
        return Err(String::from_utf8_lossy(&tree.stderr).into());
    }
    let text = String::from_utf8(tree.stdout)?;
    Ok(text.lines().filter_map(name_and_version).collect())
}

/// The first two words of a line of `cargo tree`: name and version.
fn name_and_version(line: &str) -> Option<String> {
    let mut words = line.split(' ');
    Some(format!("{} {}", words.next()?, words.next()?))
}

/// The SHA-256 of every package from a registry, by [`id_of`].
fn checksums(lock: &str) -> Result<BTreeMap<String, String>, Error> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        name: String,
        version: String,
        checksum: Option<String>,
    }
    let lock: Lock = toml::from_str(lock).context(|| "Cargo.lock")?;
    let pair = |it: Locked| Some((format!("{} v{}", it.name, it.version), it.checksum?));
    Ok(lock.package.into_iter().filter_map(pair).collect())
}

fn component(package: &Package, checksum: Option<&String>) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(package),
        "name": package.name.as_str(),
        "version": package.version.to_string(),
        "purl": reference(package),
    });
    if let Some(checksum) = checksum {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(licence) = &package.license {
        // Old manifests use `MIT/Apache-2.0`.
        component["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
    }
    if let Some(repository) = &package.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

fn dependencies(metadata: &Metadata, packages: &[&Package]) -> Vec<Value> {
    let references: BTreeMap<&PackageId, String> =
        packages.iter().map(|package| (&package.id, reference(package))).collect();
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let nodes = nodes.filter_map(|node| {
        let normal = node.deps.iter().filter(|dependency| {
            dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
        });
        let on: BTreeSet<&String> =
            normal.filter_map(|dependency| references.get(&dependency.pkg)).collect();
        Some(json!({ "ref": references.get(&node.id)?, "dependsOn": on }))
    });
    nodes.collect()
}

/// The search path, with this folder first.
pub(crate) fn first_on_path(programs: &Path) -> Result<OsString, Error> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path);
    Ok(std::env::join_paths([programs.to_owned()].into_iter().chain(others))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_lists_only_linked_packages_with_licence_and_hash() {
        let bill = bill(house::workspace()).unwrap();
        let of = |name: &str| {
            let components = bill["components"].as_array().unwrap();
            components.iter().find(|component| component["name"] == name)
        };
        let runtime = of("lambda_runtime").expect("every function links it");
        assert_eq!(runtime["licenses"][0]["expression"], "Apache-2.0");
        assert_eq!(runtime["hashes"][0]["content"].as_str().map(str::len), Some(64));
        assert!(of("domain").is_some() && of("clap").is_none() && of("rustack-sqs-core").is_none());
        let of_functions = bill["dependencies"].as_array().unwrap().iter();
        let mut of_functions = of_functions.filter(|it| {
            it["ref"].as_str().is_some_and(|it| it.starts_with("pkg:cargo/functions@"))
        });
        let functions = of_functions.next().expect("the bill describes the functions package");
        assert!(functions["dependsOn"].to_string().contains("pkg:cargo/lambda-lifecycle@"));
    }
}
