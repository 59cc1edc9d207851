//! `cargo xtask template`: checks the templates as AWS will deploy them.
//!
//! SAM's own library expands them; then cfn-lint and our own rules check the result. Copies of the
//! templates with one seeded mistake each show that the rules work.

mod binaries;
mod expansion;
mod mistake;
mod mistakes;
pub(crate) mod release;
mod revision;
mod rules;
pub(crate) mod stamp;
mod versions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use house::{samconfig, tools};
use sam_template::REGION;
use serde_json::Value;
use tooling::context::Context;
use tooling::{Error, say, target_directory};

use self::expansion::{Expansion, FILES, Job};
use self::mistakes::MISTAKES;
use self::rules::Deployed;

/// The main template with SAM's short forms expanded: resources by logical id, as `CloudFormation`
/// receives them. The functions' code is at an S3 address that does not exist. `parameters` replace
/// the template's defaults.
///
/// # Errors
/// If the tools cannot be installed, or SAM rejects the template.
fn expanded(workspace: &Path, parameters: &BTreeMap<String, String>) -> Result<Value, Error> {
    let job = Job::of(workspace, parameters)?;
    let mut expansion = expansion::expand(workspace, &[job])?.remove(0);
    let main = expansion.expanded.remove(FILES[0]);
    main.ok_or_else(|| expansion.complaints.join("\n").into())
}

/// Writes [`expanded`] below `target` and returns the path.
///
/// # Errors
/// As for [`expanded`], or if the file cannot be written.
pub(crate) fn write_expanded(
    workspace: &Path,
    parameters: &BTreeMap<String, String>,
) -> Result<PathBuf, Error> {
    let template = expanded(workspace, parameters)?;
    let path = target_directory(workspace)?.join("template.json");
    fs_err::write(&path, serde_json::to_vec_pretty(&template)?)?;
    Ok(path)
}

/// The problems of the templates, and the seeded mistakes that are not found, one sentence each.
///
/// # Errors
/// If the tools cannot be installed, or the templates no longer contain a mistake's text.
pub(crate) fn complaints(workspace: &Path) -> Result<Vec<String>, Error> {
    let runbook = fs_err::read_to_string(workspace.join("infra/docs/RUNBOOK.md"))?;
    let ours = Job::of(workspace, &BTreeMap::new())?;
    let mut jobs = Jobs::default();
    let linted = jobs.add(with_linted_mistakes(&ours)?);
    let mut mistaken = Vec::new();
    for mistake in MISTAKES {
        if mistake.lint_rule().is_some() {
            mistaken.push((mistake, linted, None));
            continue;
        }
        let job = mistake.made_in(&ours)?;
        let changed = match mistake.parameter {
            Some(parameter) => Some((parameter, jobs.add(versions::change(&job, parameter)?))),
            None => None,
        };
        mistaken.push((mistake, jobs.add(job), changed));
    }
    let mut stages = Vec::new();
    for parameters in samconfig::parameters(workspace)?.into_values() {
        stages.push(jobs.add(Job { parameters, ..ours.clone() }));
    }
    // With one value for each parameter, cfn-lint would report most conditions as constant.
    stages.push(jobs.add(Job { lint: true, stamped: false, ..ours.clone() }));
    let changes = versions::changes(&ours)?.into_iter();
    let changes: Vec<_> = changes.map(|(parameter, job)| (parameter, jobs.add(job))).collect();
    let defaults = jobs.add(ours);
    let expansions = expansion::expand(workspace, &jobs.0)?;

    let missed = mistaken.into_iter().filter_map(|(mistake, job, changed)| {
        let mut found = all_complaints(&expansions[job], &runbook);
        found.extend(changed.and_then(|(parameter, changed)| {
            versions::complaints(parameter, &expansions[job], &expansions[changed])
        }));
        mistake.missed(&found)
    });
    let missed: Vec<String> = missed.collect();
    let ours = stages.into_iter().flat_map(|job| all_complaints(&expansions[job], &runbook));
    let mut complaints: Vec<String> = ours.collect();
    for (parameter, job) in changes {
        let (before, after) = (&expansions[defaults], &expansions[job]);
        say(&format!("another {parameter}: {} new versions", versions::count(before, after)));
        complaints.extend(versions::complaints(&parameter, before, after));
    }
    complaints.extend(validated(workspace)?);
    let (made, caught) = (MISTAKES.len(), MISTAKES.len() - missed.len());
    say(&format!("{made} seeded mistakes, {caught} caught"));
    complaints.extend(missed);
    Ok(complaints)
}

/// The templates with all mistakes that cfn-lint should find: linting one copy takes longer than
/// expanding twenty. The mistakes are in different resources or properties, so that none hides
/// another.
///
/// # Errors
///
/// If the templates no longer contain a mistake's text.
fn with_linted_mistakes(ours: &Job) -> Result<Job, Error> {
    let mut job = ours.clone();
    for mistake in MISTAKES.iter().filter(|mistake| mistake.lint_rule().is_some()) {
        job = mistake.made_in(&job)?;
    }
    Ok(job)
}

/// Jobs that are expanded together.
#[derive(Default)]
struct Jobs(Vec<Job>);

impl Jobs {
    /// Adds a job and returns the index of its expansion.
    fn add(&mut self, job: Job) -> usize {
        self.0.push(job);
        self.0.len() - 1
    }
}

fn all_complaints(expansion: &Expansion, runbook: &str) -> Vec<String> {
    let deployed = Deployed { templates: &expansion.expanded, runbook };
    [expansion.complaints.clone(), rules::complaints(&deployed)].concat()
}

/// The problems that `sam validate` reports. It reads the template before the expansion.
fn validated(workspace: &Path) -> Result<Option<String>, Error> {
    let validated = Command::new(tools::installed(workspace, "sam")?.join("sam"))
        .args(["validate", "--region", REGION, "--template", FILES[0]])
        .current_dir(workspace)
        .env("SAM_CLI_TELEMETRY", "0")
        .output()
        .context(|| "sam validate")?;
    let said = || format!("sam validate: {}", String::from_utf8_lossy(&validated.stderr));
    Ok((!validated.status.success()).then(said))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use house::workspace;

    use super::*;

    #[test]
    fn one_copy_has_all_mistakes_for_cfn_lint_and_each_has_another_rule() {
        let ours = Job::of(workspace(), &BTreeMap::new()).unwrap();
        let copy = with_linted_mistakes(&ours).unwrap();
        assert!(copy.lint && !copy.stamped);
        let linted = MISTAKES.iter().filter(|mistake| mistake.lint_rule().is_some());
        let linted: Vec<_> = linted.collect();
        let rules: BTreeSet<_> = linted.iter().filter_map(|mistake| mistake.lint_rule()).collect();
        assert_eq!(rules.len(), linted.len(), "{rules:?}");
        for mistake in linted {
            let rule = mistake.lint_rule();
            assert!(mistake.is_made_in(&copy), "{rule:?}");
            assert!(!mistake.is_made_in(&ours), "{rule:?}");
        }
    }
}
