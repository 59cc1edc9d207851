//! The copy of the workspace that has the mistakes, and its program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fs_err as fs;
use tooling::context::Context;
use tooling::process::succeeded;
use tooling::{Error, cargo, target_directory};

use super::mistake::{Mistake, VARIABLE, with_switches};
use crate::oracles;

/// A copy of the workspace, built in a separate target directory.
pub(super) struct SwitchedCopy {
    folder: PathBuf,
}

/// A seed that failed, and the oracles that found a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) seed: u64,
    pub(super) oracles: Vec<String>,
}

/// The seeds of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seeds {
    /// Their number: the first is 1.
    pub(super) count: u64,
    /// The orders of each.
    pub(super) orders: usize,
    /// The seeds that run at a time.
    pub(super) jobs: usize,
}

impl SwitchedCopy {
    /// The copy of a workspace, which may not be there yet.
    pub(super) fn of(workspace: &Path) -> Result<Self, Error> {
        Ok(Self { folder: target_directory(workspace)?.join("mistakes") })
    }

    /// Copies the files that differ, with the mistakes behind their switches, and builds the program.
    ///
    /// # Errors
    /// If a mistake cannot be made, or the build fails.
    pub(super) fn make(&self, workspace: &Path, mistakes: &[Mistake]) -> Result<(), Error> {
        let mut git = Command::new("git");
        git.current_dir(workspace).args(["ls-files", "-z", "--cached", "--others"]);
        let listed = git.arg("--exclude-standard").output().context(|| "git ls-files")?;
        for name in String::from_utf8_lossy(&listed.stdout).split('\0') {
            let (from, to) = (workspace.join(name), self.folder.join("workspace").join(name));
            if name.is_empty() || !from.is_file() {
                continue;
            }
            let mut content = fs::read(&from)?;
            let is_changed = |mistake: &Mistake| mistake.changes.iter().any(|it| it.file == name);
            if mistakes.iter().any(is_changed) {
                content = with_switches(mistakes, name, &String::from_utf8(content)?)?.into();
            }
            // A file that is written again would be compiled again.
            if fs::read(&to).is_ok_and(|known| known == content) {
                continue;
            }
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&to, content)?;
        }
        // The copy shares nothing that the workspace has built: Cargo knows a crate by its path within
        // its workspace, and would take those of the one for those of the other.
        let mut build = cargo(&self.folder.join("workspace"));
        build.args(["build", "--quiet", "--package", "store-functions", "--profile", "tool"]);
        build.arg("--target-dir").arg(&self.folder).env_remove("CARGO_BUILD_BUILD_DIR");
        succeeded(&mut build)
    }

    /// Runs seeds until one fails, with a mistake or without. Returns the failed one.
    ///
    /// # Errors
    /// If the program fails for another reason.
    pub(super) fn run(&self, mistake: Option<&str>, seeds: Seeds) -> Result<Option<Found>, Error> {
        let mut program = Command::new(self.folder.join("tool/simulate"));
        let range = format!("1..{}", seeds.count + 1);
        program.args(["--until-failure", "--seeds", &range]);
        program.args(["--jobs", &seeds.jobs.to_string(), "--orders", &seeds.orders.to_string()]);
        match mistake {
            Some(name) => program.env(VARIABLE, name),
            None => program.env_remove(VARIABLE),
        };
        let output = program.stderr(Stdio::piped()).output().context(|| "simulate")?;
        let found = found(&String::from_utf8_lossy(&output.stdout));
        if found.is_none() && !output.status.success() {
            let name = mistake.unwrap_or("without a mistake");
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{name}: simulate: {}: {error}", output.status).into());
        }
        Ok(found)
    }
}

/// The first seed with lines such as `seed 7 failed: stock is conserved: …`, and its oracles.
fn found(output: &str) -> Option<Found> {
    let mut found: Option<Found> = None;
    for line in output.lines() {
        let Some((seed, reason)) = failure(line) else { continue };
        let found = found.get_or_insert_with(|| Found { seed, oracles: Vec::new() });
        let oracle = oracles::NAMES.iter().find(|name| reason.starts_with(**name));
        let oracle = oracle.map_or_else(|| reason.to_owned(), |name| (*name).to_owned());
        if found.seed == seed && !found.oracles.contains(&oracle) {
            found.oracles.push(oracle);
        }
    }
    found
}

fn failure(line: &str) -> Option<(u64, &str)> {
    let (seed, reason) = line.strip_prefix("seed ")?.split_once(" failed: ")?;
    Some((seed.parse().ok()?, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failed_seed_has_its_oracles_once() {
        let output = "seed 7 failed: stock is conserved: product p has -1 pieces\n\
                      seed 7 failed: stock is conserved: product q has -1 pieces\n\
                      seed 7 failed: credit is conserved: user u\n\
                      1 orders, 20 s simulated\nerror: simulate: 1 seeds failed";
        let oracles = ["stock is conserved", "credit is conserved"].map(str::to_owned).to_vec();
        assert_eq!(found(output), Some(Found { seed: 7, oracles }));
        assert_eq!(found("20 seeds in 3 s, 0 failed"), None);
    }
}
