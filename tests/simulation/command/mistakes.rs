//! `simulate mistakes`: makes each mistake of `tests/simulation/mistakes` in a copy of the workspace,
//! and looks how many seeds the oracles need to find it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fs_err as fs;
use serde::Deserialize;
use tooling::context::Context;
use tooling::process::succeeded;
use tooling::{Error, cargo, say, target_directory};

use crate::oracles;

/// The folder of the mistakes in the workspace.
const FOLDER: &str = "tests/simulation/mistakes";

/// Looks whether the oracles find seeded mistakes: each is made in a copy of the workspace.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only the mistakes whose names have one of these texts.
    names: Vec<String>,
    /// The most seeds for one mistake.
    #[arg(long, default_value_t = 300)]
    seeds: u64,
    /// The orders of each seed.
    #[arg(long, default_value_t = 30)]
    orders: usize,
}

/// A mistake: changes of the source that make it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistake {
    /// The name of its file.
    #[serde(skip)]
    name: String,
    /// The wrong behaviour, in one sentence.
    about: String,
    /// The oracles that may find it.
    oracles: Vec<String>,
    /// The changes.
    changes: Vec<Change>,
}

impl Mistake {
    fn place(&self) -> (Option<&str>, &str) {
        (self.changes.first().map(|change| change.file.as_str()), &self.name)
    }
}

/// A change of one place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The path in the workspace.
    file: String,
    /// The text, which the file has once.
    before: String,
    /// The text instead.
    after: String,
}

/// Makes the mistakes one after the other.
///
/// # Errors
/// If one is not found, or cannot be made.
pub(super) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let all = mistakes(workspace)?;
    let is_wanted = |mistake: &Mistake| {
        let names = &arguments.names;
        names.is_empty() || names.iter().any(|name| mistake.name.contains(name))
    };
    let wanted: Vec<Mistake> = all.into_iter().filter(is_wanted).collect();
    let folder = target_directory(workspace)?.join("mistakes");
    let copy = Copy { workspace: folder.join("workspace"), target: folder.join("target") };
    copy.make(workspace)?;
    let mut missed = Vec::new();
    for mistake in &wanted {
        let Mistake { name, about, .. } = mistake;
        let found = copy.with(mistake, || copy.find(arguments))??;
        match found {
            Some((seeds, oracle)) if mistake.oracles.contains(&oracle) => {
                say(&format!("found in seed {seeds}: {name}: {about} ({oracle})"));
            }
            Some((seeds, oracle)) => {
                say(&format!(
                    "found in seed {seeds} by another oracle: {name}: {about} ({oracle})"
                ));
            }
            None => {
                say(&format!("missed: {name}: {about}"));
                missed.push(name.as_str());
            }
        }
    }
    say(&format!("{} mistakes, {} missed", wanted.len(), missed.len()));
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join(", ")).into()) }
}

/// All mistakes, by their first files and names: neighbours build the same crates again.
fn mistakes(workspace: &Path) -> Result<Vec<Mistake>, Error> {
    let mut mistakes = Vec::new();
    for entry in fs::read_dir(workspace.join(FOLDER))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let mut mistake: Mistake = toml::from_str(&text).context(|| path.display())?;
        mistake.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        mistakes.push(mistake);
    }
    mistakes.sort_by(|one, other| one.place().cmp(&other.place()));
    Ok(mistakes)
}

/// A copy of the workspace, and its target directory.
struct Copy {
    workspace: PathBuf,
    target: PathBuf,
}

impl Copy {
    /// Copies the tracked files that differ.
    fn make(&self, workspace: &Path) -> Result<(), Error> {
        let mut git = Command::new("git");
        let listed = git.current_dir(workspace).args(["ls-files", "-z"]).output();
        let listed = listed.context(|| "git ls-files")?;
        for name in String::from_utf8_lossy(&listed.stdout).split('\0') {
            let (from, to) = (workspace.join(name), self.workspace.join(name));
            if name.is_empty() || !from.is_file() {
                continue;
            }
            let content = fs::read(&from)?;
            // A file that is written again would be compiled again.
            if fs::read(&to).is_ok_and(|known| known == content) {
                continue;
            }
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&to, content)?;
        }
        Ok(())
    }

    /// Does something while the copy has a mistake.
    fn with<T>(&self, mistake: &Mistake, work: impl FnOnce() -> T) -> Result<T, Error> {
        let mut kept = Vec::new();
        for change in &mistake.changes {
            let path = self.workspace.join(&change.file);
            let text = fs::read_to_string(&path)?;
            fs::write(&path, changed(&mistake.name, change, &text)?)?;
            kept.push((path, text));
        }
        let worked = work();
        for (path, text) in kept.into_iter().rev() {
            fs::write(path, text)?;
        }
        Ok(worked)
    }

    /// Builds the copy, and runs seeds until one fails. Returns the seed and the oracle.
    fn find(&self, arguments: &Arguments) -> Result<Option<(u64, String)>, Error> {
        let mut build = cargo(&self.workspace);
        build.args(["build", "--quiet", "--package", "simulate", "--profile", "tool"]);
        succeeded(build.arg("--target-dir").arg(&self.target))?;
        let mut program = Command::new(self.target.join("tool/simulate"));
        let (seeds, orders) = (format!("1..{}", arguments.seeds + 1), arguments.orders.to_string());
        program.args(["--until-failure", "--jobs", "1", "--seeds", &seeds, "--orders", &orders]);
        let output = program.stderr(Stdio::inherit()).output().context(|| "simulate")?;
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(output.lines().find_map(failure))
    }
}

/// The seed and the oracle of a line such as `seed 7 failed: stock is conserved: …`.
fn failure(line: &str) -> Option<(u64, String)> {
    let (seed, reason) = line.strip_prefix("seed ")?.split_once(" failed: ")?;
    let oracle = oracles::NAMES.iter().find(|name| reason.starts_with(**name));
    let oracle = oracle.map_or_else(|| reason.to_owned(), |name| (*name).to_owned());
    Some((seed.parse().ok()?, oracle))
}

/// The text with a change.
fn changed(name: &str, change: &Change, text: &str) -> Result<String, Error> {
    let Change { file, before, after } = change;
    match text.matches(before.as_str()).count() {
        1 => Ok(text.replacen(before, after, 1)),
        count => Err(format!("{name}: {file} has {before:?} {count} times").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The source moves on, and the mistakes with it.
    #[test]
    fn each_mistake_can_be_made_and_names_its_oracles() {
        let all = mistakes(house::workspace()).unwrap();
        assert!(all.len() >= 25, "{}", all.len());
        for mistake in all {
            assert!(!mistake.oracles.is_empty() && !mistake.changes.is_empty(), "{mistake:?}");
            for oracle in &mistake.oracles {
                assert!(oracles::NAMES.contains(&oracle.as_str()), "{}: {oracle}", mistake.name);
            }
            for change in &mistake.changes {
                let path = house::workspace().join(&change.file);
                let text = fs::read_to_string(path).unwrap();
                let changed = changed(&mistake.name, change, &text).unwrap();
                assert_ne!(changed, text, "{}", mistake.name);
            }
        }
    }

    #[test]
    fn the_line_of_a_failure_has_its_seed_and_oracle() {
        let line = "seed 7 failed: stock is conserved: product p has -1 pieces";
        assert_eq!(failure(line), Some((7, "stock is conserved".to_owned())));
        assert_eq!(failure("20 seeds in 3 s, 0 failed"), None);
    }
}
