//! `cargo xtask words`: counts words that make sentences hard to read, per crate.
//!
//! `infra/xtask/words.toml` keeps the counts, and `cargo xtask tidy` compares: a count may only fall.
//! In log lines, error texts and panics the words are banned.

mod list;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

use tooling::{Error, say};

use crate::tidy::tracked;

/// Counts by crate, or by file where a file belongs to none.
type Counts = BTreeMap<String, usize>;

/// The kept counts.
const KEPT: &str = "infra/xtask/words.toml";

/// Files whose words are not ours, or are listed on purpose.
const LEFT_OUT: [&str; 4] =
    ["infra/openapi.json", "infra/xtask/src/words/", "infra/docs/STYLE.md", "Cargo.lock"];

#[derive(clap::Parser)]
#[command(name = "cargo xtask words", about = "Counts words that make sentences hard to read.")]
pub(crate) struct Arguments {
    /// Prints the place of each word below this path.
    #[arg(long, value_name = "PATH")]
    list: Option<String>,

    /// Keeps the counts in infra/xtask/words.toml.
    #[arg(long)]
    write: bool,
}

struct Found {
    place: String,
    owner: String,
    word: &'static str,
    is_report: bool,
}

/// Prints the count of each crate, and the sum in the last line.
///
/// # Errors
///
/// When a tracked file cannot be listed, or the counts cannot be written.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let files = tracked::files(workspace)?;
    let found = found(&tracked::texts(workspace, &files));
    if let Some(below) = &arguments.list {
        for each in found.iter().filter(|each| each.place.starts_with(below.as_str())) {
            say(&format!("{}: {}", each.place, each.word));
        }
        return Ok(());
    }
    let counts = counts(&found);
    if arguments.write {
        fs_err::write(workspace.join(KEPT), toml::to_string(&counts)?)?;
    }
    for (owner, count) in &counts {
        say(&format!("{owner}: {count}"));
    }
    say(&format!("total: {}", counts.values().sum::<usize>()));
    Ok(())
}

/// Sentences about counts that rose, counts that are kept too high, and reports with listed words.
pub(crate) fn complaints(workspace: &Path, texts: &[(&str, String)]) -> Result<Vec<String>, Error> {
    let found = found(texts);
    let kept: Counts = toml::from_str(&fs_err::read_to_string(workspace.join(KEPT))?)?;
    let reports = found.iter().filter(|each| each.is_report);
    let mut complaints: Vec<String> = reports
        .map(|each| format!("{}: \"{}\" in a log line, an error or a panic", each.place, each.word))
        .collect();
    complaints.extend(changes(&kept, &counts(&found)));
    Ok(complaints)
}

fn changes(kept: &Counts, counted: &Counts) -> Vec<String> {
    let owners: std::collections::BTreeSet<&String> = kept.keys().chain(counted.keys()).collect();
    let count = |counts: &Counts, owner: &String| counts.get(owner).copied().unwrap_or_default();
    let mut complaints = Vec::new();
    for owner in owners {
        let (before, now) = (count(kept, owner), count(counted, owner));
        if now > before {
            complaints.push(format!(
                "{owner}: {now} listed words, {before} are allowed: `cargo xtask words --list {owner}`"
            ));
        }
        if now < before {
            complaints.push(format!(
                "{owner}: {now} listed words instead of {before}: keep that by `cargo xtask words --write`"
            ));
        }
    }
    complaints
}

fn counts(found: &[Found]) -> Counts {
    let mut counts = Counts::new();
    for each in found {
        *counts.entry(each.owner.clone()).or_default() += 1;
    }
    counts
}

fn found(texts: &[(&str, String)]) -> Vec<Found> {
    let is_left_out = |path: &str| LEFT_OUT.iter().any(|left_out| path.starts_with(left_out));
    let counted = texts.iter().filter(|(path, _)| !is_left_out(path));
    counted.flat_map(|(path, content)| of_file(path, content)).collect()
}

fn of_file(path: &str, content: &str) -> Vec<Found> {
    let mut all = Vec::new();
    for text in text::texts(path, content) {
        for (offset, word) in list::found(&text.words) {
            let before = content.get(..text.start + offset).unwrap_or(content);
            all.push(Found {
                place: format!("{path}:{}", before.matches('\n').count() + 1),
                owner: owner(path),
                word,
                is_report: text.is_report,
            });
        }
    }
    all
}

/// The crate of a file: its first folder, or the first two below `shared` and `infra`.
fn owner(path: &str) -> String {
    let depth = if path.starts_with("shared/") || path.starts_with("infra/") { 2 } else { 1 };
    path.split('/').take(depth).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(owner: &str, count: usize) -> Counts {
        Counts::from([(owner.to_owned(), count)])
    }

    #[test]
    fn a_count_that_rose_or_fell_is_a_complaint_and_an_equal_one_is_none() {
        assert!(changes(&one("tests", 3), &one("tests", 3)).is_empty());
        assert!(
            changes(&one("tests", 3), &one("tests", 4))[0]
                .contains("4 listed words, 3 are allowed")
        );
        assert!(
            changes(&one("tests", 3), &Counts::new())[0].contains("0 listed words instead of 3")
        );
        assert!(
            changes(&Counts::new(), &one("tests", 1))[0].contains("1 listed words, 0 are allowed")
        );
    }

    #[test]
    fn a_word_is_found_with_its_line_its_crate_and_its_kind() {
        let found = of_file("shared/domain/src/a.rs", "// fine\n\npanic!(\n\"by whoever\")");
        let places: Vec<_> = found
            .iter()
            .map(|each| (each.place.as_str(), each.owner.as_str(), each.word, each.is_report))
            .collect();
        assert_eq!(places, [("shared/domain/src/a.rs:4", "shared/domain", "whoever", true)]);
    }
}
