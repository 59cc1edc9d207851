//! `cargo xtask try-new-functions`: builds and tests new functions of `cargo lifecycle` in a copy of
//! the workspace, and calls the endpoints. The copy is deleted afterwards.

use std::fs::FileTimes;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use cargo_lifecycle::new_endpoint::{self, Method, NewConsumer, NewEndpoint};
use cargo_lifecycle::{Location, Service, codegen, drift};
use fs_err::{self as fs, OpenOptions};
use house::program_of;
use tooling::context::Context;
use tooling::process::succeeded;
use tooling::{Error, cargo, descriptions, last_built, say, target_directory};

use crate::tidy;
use crate::without_library::WITHOUT_LIBRARY;

/// One endpoint from each skeleton, with and without parameters.
fn endpoints() -> [NewEndpoint; 2] {
    let endpoint = |name: &str, method, path: &str| NewEndpoint {
        name: name.to_owned(),
        method,
        path: path.to_owned(),
        folder: None,
    };
    [
        endpoint("get_greeting", Method::Get, "/greetings/{greetingId}"),
        endpoint("put_greeting", Method::Put, "/greetings"),
    ]
}

fn consumer() -> NewConsumer {
    NewConsumer { name: "count_greetings".to_owned(), queue: "greetings".to_owned(), folder: None }
}

/// The names of the new functions.
fn names() -> [String; 3] {
    let [query, command] = endpoints();
    [query.name, command.name, consumer().name]
}

/// Runs the trial.
///
/// # Errors
///
/// If a step fails; the error names it.
pub(crate) fn run(workspace: &Path) -> Result<(), Error> {
    let target = target_directory(workspace)?;
    // The copy reuses the other functions' binaries.
    descriptions::build(workspace, service_in(workspace)?.package())?;
    let copy = target.join("new-functions");
    let tried = copy_of(workspace, &copy, &target).and_then(|()| in_copy(&copy));
    let removed = remove(&copy, &target);
    tried.and(removed)
}

fn service_in(workspace: &Path) -> Result<Service, Error> {
    Service::find(&Location { workspace: Some(workspace.to_owned()), ..Location::default() })
}

fn in_copy(copy: &Path) -> Result<(), Error> {
    let begun = Instant::now();
    let done = |what: &str| say(&format!("{:>5.1} s  {what}", begun.elapsed().as_secs_f64()));
    let (endpoints, names) = (endpoints(), names());
    let service = service_in(copy)?;
    for endpoint in &endpoints {
        new_endpoint::endpoint(&service, endpoint)?;
    }
    new_endpoint::consumer(&service, &consumer())?;
    done("written");
    build(copy, &names)?;
    done("built");
    let described = descriptions::as_built(copy, &codegen::binaries(&service)?)?;
    codegen::declare(&service, &descriptions::read(described)?)?;
    done("their parts of the template are generated");
    test(copy, &names)?;
    done("their unit tests pass");
    ask(copy, &endpoints)?;
    done("the local platform returns 200 for the endpoints");
    judge(copy, &service)?;
    done("drift and tidy find no problems");
    Ok(())
}

/// Copies the files that git tracks or would add, with their times, so that cargo rebuilds nothing.
fn copy_of(workspace: &Path, copy: &Path, target: &Path) -> Result<(), Error> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(workspace)
        .output()
        .context(|| "git ls-files")?;
    let listed = String::from_utf8(listed.stdout)?;
    for name in listed.split('\0').filter(|name| workspace.join(name).is_file()) {
        let (from, to) = (workspace.join(name), copy.join(name));
        fs::create_dir_all(to.parent().ok_or("a file has a folder")?)?;
        fs::copy(&from, &to)?;
        let modified = fs::metadata(&from)?.modified()?;
        OpenOptions::new()
            .write(true)
            .open(&to)?
            .set_times(FileTimes::new().set_modified(modified))?;
    }
    let configuration = copy.join(".cargo/config.toml");
    let shared = format!("\n[build]\ntarget-dir = {:?}\n", target.display().to_string());
    fs::write(&configuration, fs::read_to_string(&configuration)? + &shared)?;
    // With another version, cargo treats the functions as another package and keeps the build of ours. The
    // crates that they use are the same, and are not built again.
    let manifest = copy.join("functions/Cargo.toml");
    let ours = fs::read_to_string(&manifest)?;
    let renamed = ours.replacen("\nversion.workspace = true", "\nversion = \"0.0.0\"", 1);
    if renamed == ours {
        return Err("functions/Cargo.toml has not the workspace's version".into());
    }
    fs::write(&manifest, renamed)?;
    // The house rules apply to the files that git tracks.
    for arguments in [&["init", "--quiet"][..], &["add", "--all"]] {
        succeeded(Command::new("git").args(arguments).current_dir(copy))?;
    }
    Ok(())
}

fn build(copy: &Path, names: &[String]) -> Result<(), Error> {
    let binaries = names.iter().flat_map(|name| ["--bin", name]);
    succeeded(cargo(copy).args(["build", "--workspace"]).args(binaries))
}

/// Runs the unit tests of the new functions; each has one.
fn test(copy: &Path, names: &[String]) -> Result<(), Error> {
    let ran = cargo(copy)
        .args(["test", "--quiet", "--package", "functions"])
        .args(WITHOUT_LIBRARY.iter().flat_map(|package| ["--package", package]))
        .args(["--lib", "--"])
        .args(names)
        .output()
        .context(|| "the unit tests of the new functions")?;
    let said = String::from_utf8_lossy(&ran.stdout);
    if said.contains(&format!("{} passed; 0 failed", names.len())) {
        return Ok(());
    }
    Err(format!("their unit tests: {said}{}", String::from_utf8_lossy(&ran.stderr)).into())
}

/// Runs the copy's template on the local platform, and calls each endpoint as a customer.
fn ask(copy: &Path, endpoints: &[NewEndpoint]) -> Result<(), Error> {
    let mut conformance = program_of("conformance");
    conformance.arg("new-endpoints").arg(copy.join("template.yaml"));
    let calls = endpoints
        .iter()
        .map(|endpoint| format!("{} {}", endpoint.method.in_capitals(), endpoint.example_path()));
    succeeded(conformance.args(calls))
}

/// Runs the house checks on the copy.
fn judge(copy: &Path, service: &Service) -> Result<(), Error> {
    let template = service.template()?;
    let descriptions = descriptions::as_built(copy, &template.binaries())?;
    let mut complaints = drift::between(&template, &descriptions::read(descriptions)?);
    complaints.extend(tidy::complaints(copy));
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n").into()) }
}

/// Removes the copy, and the new functions' programs with cargo's lists of their sources.
fn remove(copy: &Path, target: &Path) -> Result<(), Error> {
    for name in names() {
        while let Some(program) = last_built(target, &Path::new("debug").join(&name)) {
            let list = program.with_extension("d");
            fs::remove_file(program)?;
            if list.exists() {
                fs::remove_file(list)?;
            }
        }
    }
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::env::consts::{ARCH, OS};

    use super::*;

    #[test]
    fn the_programs_of_the_new_functions_are_removed_also_from_the_folder_of_a_target() {
        let target = std::env::temp_dir().join(format!("trial-{}", std::process::id()));
        let copy = target.join("new-functions");
        let system = if OS == "macos" { "apple-darwin" } else { OS };
        let of_target = target.join(format!("{ARCH}-unknown-{system}/debug"));
        let folders = [target.join("debug"), of_target];
        let [name, ..] = names();
        for folder in &folders {
            fs::create_dir_all(folder).unwrap();
            for file in [name.clone(), format!("{name}.d"), "get_user".to_owned()] {
                fs::write(folder.join(file), "").unwrap();
            }
        }
        fs::create_dir_all(&copy).unwrap();
        remove(&copy, &target).unwrap();
        for folder in &folders {
            let left = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
            assert_eq!(left.collect::<Vec<_>>(), ["get_user"], "{}", folder.display());
        }
        assert!(!copy.exists());
        fs::remove_dir_all(&target).unwrap();
    }
}
