//! The committed counts of instructions, and the comparison with them.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use tooling::Error;
use tooling::context::Context;

/// The committed counts, from the workspace's folder.
pub(super) const FILE: &str = "infra/bench/instructions.json";
/// The command that writes them.
const WRITE: &str = "cargo xtask bench --quick --write";
/// The largest difference to a committed count, as a part of it.
const DIFFERENCE_MAX: f64 = 0.05;

/// The instructions of a warm invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) name: String,
    pub(super) instructions: u32,
}

/// The counts of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) profile: String,
    pub(super) architecture: String,
    pub(super) counts: Vec<Count>,
}

impl Counts {
    fn of(&self, name: &str) -> Option<u32> {
        self.counts.iter().find(|count| count.name == name).map(|count| count.instructions)
    }

    fn to_json(&self) -> Value {
        let counts = self.counts.iter().map(|it| (it.name.clone(), Value::from(it.instructions)));
        json!({
            "architecture": self.architecture,
            "profile": self.profile,
            "instructions": counts.collect::<serde_json::Map<_, _>>(),
        })
    }

    fn from_json(json: &Value) -> Option<Self> {
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let counts = json["instructions"].as_object()?.iter().map(|(name, instructions)| {
            let instructions = u32::try_from(instructions.as_u64()?).ok()?;
            Some(Count { name: name.clone(), instructions })
        });
        Some(Self {
            profile: text("profile")?,
            architecture: text("architecture")?,
            counts: counts.collect::<Option<_>>()?,
        })
    }
}

/// The committed counts; `None` if there are none yet.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) fn read(workspace: &Path) -> Result<Option<Counts>, Error> {
    let path = workspace.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let json: Value = serde_json::from_slice(&fs_err::read(path)?).context(|| FILE)?;
    Ok(Some(Counts::from_json(&json).ok_or_else(|| format!("{FILE}: unexpected form"))?))
}

/// Writes the counts.
pub(super) fn write(workspace: &Path, counts: &Counts) -> Result<(), Error> {
    Ok(fs_err::write(workspace.join(FILE), format!("{:#}\n", counts.to_json()))?)
}

/// The counts next to the committed ones, in Markdown.
pub(super) fn table(counts: &Counts, committed: Option<&Counts>) -> String {
    let mut text =
        "| function | instructions | committed | difference |\n|---|---|---|---|\n".to_owned();
    for Count { name, instructions } in &counts.counts {
        let cells = match committed.and_then(|committed| committed.of(name)) {
            None => "– | –".to_owned(),
            Some(before) => {
                format!("{before} | {:+.2} %", difference(before, *instructions) * 100.0)
            }
        };
        let _ = writeln!(text, "| {name} | {instructions} | {cells} |");
    }
    text
}

/// A sentence for each count that is more than 5 % away from the committed one.
pub(super) fn complaints(counts: &Counts, committed: Option<&Counts>) -> Vec<String> {
    let Some(committed) = committed else {
        return vec![format!("there is no {FILE}: write it by `{WRITE}`, and commit it")];
    };
    if committed.profile != counts.profile {
        let (before, now) = (&committed.profile, &counts.profile);
        return vec![format!("{FILE} has the counts of the profile {before}, not of {now}")];
    }
    let complaint = |Count { name, instructions }: &Count| {
        let Some(before) = committed.of(name) else {
            return Some(format!("{FILE} has no count of {name}: write it by `{WRITE}`"));
        };
        let difference = difference(before, *instructions);
        (difference.abs() > DIFFERENCE_MAX).then(|| {
            let (percent, at_most) = (difference * 100.0, DIFFERENCE_MAX * 100.0);
            format!(
                "{name}: {instructions} instructions for a warm invocation, {before} in {FILE}: \
                 {percent:+.1} %, at most {at_most:.0} %. If the change is worth it, or is a gain, \
                 write the new counts by `{WRITE}`, and give the reason in the commit."
            )
        })
    };
    counts.counts.iter().filter_map(complaint).collect()
}

/// The difference to a count, as a part of it. From 0 to another count it is infinite.
fn difference(before: u32, now: u32) -> f64 {
    (f64::from(now) - f64::from(before)) / f64::from(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, u32)]) -> Counts {
        let count = |(name, instructions): &(&str, u32)| Count {
            name: (*name).to_owned(),
            instructions: *instructions,
        };
        Counts {
            profile: "tool".to_owned(),
            architecture: "x86_64".to_owned(),
            counts: of.iter().map(count).collect(),
        }
    }

    #[test]
    fn a_count_more_than_5_percent_away_is_reported_in_both_directions() {
        let committed = counts(&[("get_user", 1_000_000)]);
        for (now, reported) in
            [(1_000_000, false), (1_050_000, false), (1_050_100, true), (949_900, true)]
        {
            let complaints = complaints(&counts(&[("get_user", now)]), Some(&committed));
            assert_eq!(!complaints.is_empty(), reported, "{now}: {complaints:?}");
        }
        let complaints = complaints(&counts(&[("get_user", 1_100_000)]), Some(&committed));
        assert!(complaints[0].contains("+10.0 %, at most 5 %"), "{complaints:?}");
    }

    #[test]
    fn counts_that_cannot_be_compared_are_reported() {
        let now = counts(&[("get_user", 7)]);
        let complaint = |committed: Option<&Counts>| complaints(&now, committed).remove(0);
        assert!(complaint(None).starts_with("there is no infra/bench/instructions.json"));
        assert!(complaint(Some(&counts(&[("authorizer", 7)]))).contains("no count of get_user"));
        let other = Counts { profile: "release".to_owned(), ..now.clone() };
        assert!(complaint(Some(&other)).ends_with("the profile release, not of tool"));
        assert_eq!(
            complaints(&counts(&[("get_user", 7)]), Some(&counts(&[("get_user", 0)]))).len(),
            1
        );
    }

    #[test]
    fn written_counts_are_read_again() {
        let counts = counts(&[("authorizer", 70_000), ("get_user", 400_000)]);
        assert_eq!(Counts::from_json(&counts.to_json()), Some(counts));
        for broken in [json!({}), json!({ "profile": "tool", "architecture": "x86_64" })] {
            assert_eq!(Counts::from_json(&broken), None);
        }
    }

    #[test]
    fn the_table_has_the_difference_to_each_committed_count() {
        let (now, before) = (counts(&[("a", 110), ("b", 5)]), counts(&[("a", 100)]));
        let table = table(&now, Some(&before));
        assert!(table.contains("| a | 110 | 100 | +10.00 % |\n| b | 5 | – | – |\n"), "{table}");
    }
}
