//! A checkout of this repository, for a service that depends on its crates by their paths.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tooling::Error;

/// The dependencies of a new service on crates of this repository, with their folders.
pub(super) const CRATES: [(&str, &str); 4] = [
    ("aws", "shared/aws"),
    ("emulator", "infra/emulator"),
    ("lifecycle", "shared/lifecycle"),
    ("testkit", "infra/testkit"),
];

/// A checkout.
#[derive(Debug)]
pub(super) struct Checkout {
    folder: PathBuf,
}

impl Checkout {
    /// The checkout in a folder.
    ///
    /// # Errors
    ///
    /// If the folder does not exist.
    pub(super) fn at(folder: &Path) -> Result<Self, Error> {
        Ok(Self { folder: fs_err::canonicalize(folder)? })
    }

    /// The text of a manifest, with paths instead of the published versions of the crates.
    ///
    /// # Errors
    ///
    /// If the checkout lacks one of the crates.
    pub(super) fn with_paths(&self, manifest: &str) -> Result<String, Error> {
        let lines = manifest.lines().map(|line| -> Result<String, Error> {
            let is_of = |(key, _): &&(&str, &str)| line.starts_with(&format!("{key} = {{ package"));
            match CRATES.iter().find(is_of) {
                Some((key, folder)) => {
                    let folder = self.folder.join(folder);
                    let package = package_in(&folder)?;
                    let path = folder.to_str();
                    let path = path.ok_or_else(|| format!("{} is not UTF-8", folder.display()))?;
                    // A string of JSON is one of TOML; Rust's escapes are others.
                    let path = Value::from(path);
                    Ok(format!("{key} = {{ package = {package:?}, path = {path} }}\n"))
                }
                None => Ok(format!("{line}\n")),
            }
        });
        lines.collect()
    }

    /// The versions of all dependencies that the checkout is tested with.
    ///
    /// # Errors
    ///
    /// If the lock file cannot be read.
    pub(super) fn lock(&self) -> Result<String, Error> {
        Ok(fs_err::read_to_string(self.folder.join("Cargo.lock"))?)
    }

    /// The command that installs a program of the checkout.
    pub(super) fn install(&self, folder: &str) -> String {
        format!("cargo install --locked --path {}", super::quoted(&self.folder.join(folder)))
    }
}

/// The name of the package in a folder.
pub(super) fn package_in(folder: &Path) -> Result<String, Error> {
    let manifest = folder.join("Cargo.toml");
    let text = fs_err::read_to_string(&manifest)?;
    let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    Ok(name.ok_or_else(|| format!("{} names no package", manifest.display()))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Library;

    #[test]
    fn a_path_with_combined_characters_and_quotes_is_found_again() {
        let library = Library::new("u\u{308}ber \"it\"");
        library.write("shared/aws/Cargo.toml", "name = \"lambda-lifecycle-aws\"\n");
        let checkout = Checkout::at(&library.path("")).unwrap();
        let manifest = checkout.with_paths("aws = { package = \"aws\" }\n").unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        let path = Path::new(manifest["aws"]["path"].as_str().unwrap());
        assert!(path.join("Cargo.toml").is_file(), "{}", path.display());
    }
}
