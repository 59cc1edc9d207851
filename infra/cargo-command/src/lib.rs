//! Commands that run cargo from a program that cargo itself runs.

use std::path::Path;
use std::process::Command;

/// Prefixes of the variables that cargo sets while it builds or runs a package.
const OF_PACKAGE: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// A command that runs cargo in a workspace, [`without_package`]: the cargo that runs this process,
/// or else the one in `PATH`.
#[must_use]
pub fn cargo(workspace: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    without_package(command.current_dir(workspace));
    command
}

/// Removes cargo's variables of the running package from a command's environment.
///
/// If the command builds, build scripts that watch those variables, such as ring's, would run again,
/// and their dependents would be built again.
pub fn without_package(command: &mut Command) {
    let of_package = |name: &str| OF_PACKAGE.iter().any(|prefix| name.starts_with(prefix));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(of_package) {
            command.env_remove(name);
        }
    }
}
