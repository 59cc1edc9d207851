//! Mistakes: their files, and the source with all of them behind switches.

use std::path::Path;

use fs_err as fs;
use serde::Deserialize;
use tooling::Error;
use tooling::context::Context;

/// The folder of the mistakes in the workspace.
const FOLDER: &str = "tests/simulation/mistakes";

/// The word that is true in a changed text while its mistake is on.
const SWITCH: &str = "MISTAKE";

/// The variable of the environment with the name of the mistake that is on.
pub(super) const VARIABLE: &str = "SIMULATED_MISTAKE";

/// A mistake: changes of the source that make it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mistake {
    /// The name of its file.
    #[serde(skip)]
    pub(super) name: String,
    /// The wrong behaviour, in one sentence.
    pub(super) about: String,
    /// The oracles that may find it.
    pub(super) oracles: Vec<String>,
    /// The changes.
    pub(super) changes: Vec<Change>,
}

/// A change of one place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// The path in the workspace.
    pub(super) file: String,
    /// The text, which the file has once.
    before: String,
    /// The text instead. Its word `MISTAKE` is true while the mistake is on; otherwise the text does
    /// the same as the text before.
    after: String,
}

/// All mistakes, by their names.
///
/// # Errors
/// If one cannot be read.
pub(super) fn mistakes(workspace: &Path) -> Result<Vec<Mistake>, Error> {
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
    mistakes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(mistakes)
}

/// The text of a file with all mistakes in it behind their switches.
///
/// # Errors
/// If the text of a change is not there once, or overlaps that of another.
pub(super) fn with_switches(mistakes: &[Mistake], file: &str, text: &str) -> Result<String, Error> {
    let mut places = Vec::new();
    for Mistake { name, changes, .. } in mistakes {
        for Change { before, after, .. } in changes.iter().filter(|change| change.file == file) {
            let mut found = text.match_indices(before.as_str());
            let (Some((start, _)), None) = (found.next(), found.next()) else {
                let count = text.matches(before.as_str()).count();
                return Err(format!("{name}: {file} has {before:?} {count} times").into());
            };
            places.push((start, start + before.len(), name, after));
        }
    }
    places.sort_unstable();
    let (mut changed, mut end) = (String::new(), 0);
    for (start, ends, name, after) in places {
        if start < end {
            return Err(format!("{name}: another mistake changes {file} at the same place").into());
        }
        changed.push_str(&text[end..start]);
        changed.push_str(&after.replace(SWITCH, &switch(name)));
        end = ends;
    }
    changed.push_str(&text[end..]);
    Ok(changed)
}

/// An expression that is true while a mistake is on. It reads the environment once.
fn switch(name: &str) -> String {
    format!(
        "{{ static IS_ON: ::std::sync::LazyLock<bool> = ::std::sync::LazyLock::new(|| \
         ::std::env::var({VARIABLE:?}).is_ok_and(|on| on == {name:?})); *IS_ON }}"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::oracles;

    /// The source moves on, and the mistakes with it.
    #[test]
    fn each_mistake_can_be_made_and_names_its_oracles() {
        let all = mistakes(house::workspace()).unwrap();
        assert!(all.len() >= 25, "{}", all.len());
        for mistake in &all {
            assert!(!mistake.oracles.is_empty() && !mistake.changes.is_empty(), "{mistake:?}");
            for oracle in &mistake.oracles {
                assert!(oracles::NAMES.contains(&oracle.as_str()), "{}: {oracle}", mistake.name);
            }
            let is_switched = mistake.changes.iter().any(|change| change.after.contains(SWITCH));
            assert!(is_switched, "{} has no switch", mistake.name);
        }
        let files = all.iter().flat_map(|mistake| &mistake.changes).map(|change| &change.file);
        for file in files.collect::<BTreeSet<&String>>() {
            let text = fs::read_to_string(house::workspace().join(file)).unwrap();
            let switched = with_switches(&all, file, &text).unwrap();
            assert_ne!(switched, text, "{file}");
            let parsed = syn::parse_file(&switched);
            assert!(parsed.is_ok(), "{file}: {:?}", parsed.err());
        }
    }

    #[test]
    fn a_missing_a_repeated_and_an_overlapping_text_are_refused() {
        let mistake = |name: &str, before: &str| Mistake {
            name: name.to_owned(),
            about: String::new(),
            oracles: Vec::new(),
            changes: vec![Change {
                file: "f".to_owned(),
                before: before.to_owned(),
                after: "MISTAKE".to_owned(),
            }],
        };
        let switched = |mistakes: &[Mistake]| with_switches(mistakes, "f", "one two two");
        let one = switched(&[mistake("a", "one")]).unwrap();
        assert_eq!(one, format!("{} two two", switch("a")));
        for refused in [
            &[mistake("a", "three")][..],
            &[mistake("a", "two")],
            &[mistake("a", "one two t"), mistake("b", "one")],
        ] {
            switched(refused).unwrap_err();
        }
    }
}
