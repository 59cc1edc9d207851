//! The target for which cargo builds, if its configuration names one.
//!
//! `cargo metadata` does not have it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::context::{Context, Error};

/// The name of this machine's target.
const HOST: &str = "host-tuple";

/// A file of cargo's configuration.
#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    build: Build,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Build {
    target: Option<Targets>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Targets {
    One(String),
    Several(Vec<String>),
}

/// The folder of a target's programs in the target directory: that of `CARGO_BUILD_TARGET`, or else of
/// `build.target` in the nearest file that sets it. The first one, if it sets several. `variable` looks
/// an environment variable up.
///
/// # Errors
///
/// If a file of the configuration cannot be read.
pub(crate) fn folder(
    workspace: &Path,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<String>, Error> {
    let set = variable("CARGO_BUILD_TARGET").and_then(|target| target.into_string().ok());
    let target = match set.filter(|target| !target.is_empty()) {
        Some(target) => Some(target),
        None => configured(workspace, &variable)?,
    };
    let Some(target) = target else { return Ok(None) };
    if target == HOST {
        return host(variable("RUSTC")).map(Some);
    }
    let path = Path::new(&target);
    // A target that a file describes has the name of the file.
    let described =
        if path.extension() == Some(OsStr::new("json")) { path.file_stem() } else { None };
    Ok(described.and_then(OsStr::to_str).map(str::to_owned).or(Some(target)))
}

/// The target in the nearest file of cargo's configuration that has one.
fn configured(
    workspace: &Path,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<String>, Error> {
    let workspace = std::path::absolute(workspace)?;
    let home = variable("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&variable("HOME")?).join(".cargo")));
    let folders = workspace.ancestors().map(|folder| folder.join(".cargo")).chain(home);
    for file in folders.flat_map(|folder| [folder.join("config"), folder.join("config.toml")]) {
        if !file.is_file() {
            continue;
        }
        let text = fs_err::read_to_string(&file)?;
        let File { build } = toml::from_str(&text).context(|| file.display())?;
        let target = match build.target {
            Some(Targets::One(target)) => Some(target),
            Some(Targets::Several(targets)) => targets.into_iter().next(),
            None => None,
        };
        if target.is_some() {
            return Ok(target);
        }
    }
    Ok(None)
}

/// The target of this machine.
fn host(rustc: Option<OsString>) -> Result<String, Error> {
    let mut rustc = Command::new(rustc.unwrap_or_else(|| "rustc".into()));
    let printed = rustc.args(["--print", HOST]).output().context(|| "rustc --print host-tuple")?;
    if !printed.status.success() {
        return Err(format!("rustc --print {HOST}: {}", printed.status).into());
    }
    Ok(String::from_utf8(printed.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    /// A workspace with a configuration, in a folder that has one too.
    struct Workspace(PathBuf);

    impl Workspace {
        fn new(outer: &str, inner: &str) -> Self {
            let name = format!("build-target-{}", std::process::id());
            let workspace = Self(std::env::temp_dir().join(name));
            for (folder, text) in [(workspace.0.clone(), outer), (workspace.inner(), inner)] {
                fs::create_dir_all(folder.join(".cargo")).unwrap();
                fs::write(folder.join(".cargo/config.toml"), text).unwrap();
            }
            workspace
        }

        fn inner(&self) -> PathBuf {
            self.0.join("service")
        }

        /// The folder, with this value of `CARGO_BUILD_TARGET`.
        fn found(&self, set: Option<&str>) -> Result<Option<String>, Error> {
            let home = self.0.join("home");
            folder(&self.inner(), |name| match name {
                "CARGO_BUILD_TARGET" => set.map(OsString::from),
                "CARGO_HOME" => Some(home.clone().into()),
                _ => None,
            })
        }
    }

    impl Drop for Workspace {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_target_is_that_of_the_variable_or_of_the_nearest_configuration() {
        let (arm, wasm) = ("aarch64-unknown-linux-gnu", "wasm32-wasip2");
        let of = |target: &str| format!("[build]\ntarget = {target}\n");
        for (outer, inner, set, expected) in [
            (String::new(), String::new(), None, None),
            (String::new(), String::new(), Some(""), None),
            (of(&format!("{arm:?}")), String::new(), None, Some(arm)),
            (of(&format!("{arm:?}")), of(&format!("{wasm:?}")), None, Some(wasm)),
            (of(&format!("{arm:?}")), of(&format!("{wasm:?}")), Some(arm), Some(arm)),
            (String::new(), of(&format!("[{arm:?}, {wasm:?}]")), None, Some(arm)),
            (String::new(), of("\"targets/own.json\""), None, Some("own")),
            (of(&format!("{arm:?}")), "[alias]\nx = \"run\"\n".to_owned(), None, Some(arm)),
        ] {
            let workspace = Workspace::new(&outer, &inner);
            assert_eq!(workspace.found(set).unwrap().as_deref(), expected, "{outer}{inner}{set:?}");
        }
        let workspace = Workspace::new("", "[build]\ntarget = \"host-tuple\"\n");
        let host = workspace.found(None).unwrap().unwrap();
        assert!(host.split('-').count() > 2, "{host}");
        let workspace = Workspace::new("", "[build\n");
        let error = workspace.found(None).unwrap_err().to_string();
        assert!(error.contains("service/.cargo/config.toml"), "{error}");
    }
}
