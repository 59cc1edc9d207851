//! Commands that run cargo from a program that cargo itself runs, and the files that it has built.

use std::env::consts::{ARCH, OS};
use std::iter;
use std::path::{Path, PathBuf};
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

/// The newest file at this path, such as `debug/name`, in a target directory or in its folder for a
/// target that this machine runs. Cargo uses such a folder if its configuration names the target.
#[must_use]
pub fn last_built(target_directory: &Path, file: &Path) -> Option<PathBuf> {
    let system = if OS == "macos" { "darwin" } else { OS };
    let folders = std::fs::read_dir(target_directory).ok()?.flatten();
    let of_machine = folders.filter(|folder| {
        let name = folder.file_name();
        name.to_str().is_some_and(|name| name.starts_with(ARCH) && name.contains(system))
    });
    let folders = iter::once(target_directory.to_owned());
    let folders = folders.chain(of_machine.map(|folder| folder.path()));
    let files = folders.map(|folder| folder.join(file));
    let built = files.filter(|path| path.is_file());
    built.max_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn the_file_that_was_built_last_for_this_machine_is_found() {
        let system = if OS == "macos" { "apple-darwin" } else { OS };
        let own = format!("{ARCH}-unknown-{system}");
        let target = std::env::temp_dir().join(format!("last-built-{}", std::process::id()));
        let file = Path::new("debug/page");
        for (folder, built_s) in [("", 1), (own.as_str(), 2), ("other-unknown-none", 3)] {
            let path = target.join(folder).join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let built_at = SystemTime::UNIX_EPOCH + Duration::from_secs(built_s);
            File::create(path).unwrap().set_modified(built_at).unwrap();
        }
        let found = || last_built(&target, file);
        assert_eq!(found(), Some(target.join(&own).join(file)));
        fs::remove_dir_all(target.join(&own)).unwrap();
        assert_eq!(found(), Some(target.join(file)));
        fs::remove_dir_all(&target).unwrap();
        assert_eq!(found(), None);
    }
}
