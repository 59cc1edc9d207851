//! `cargo xtask template`: whether what AWS makes of the templates is what we want deployed.
//!
//! They are expanded as AWS does it, by SAM's own library; cfn-lint judges the result, then our own
//! rules. That a rule finds anything is shown by copies of the templates with a mistake each.

mod expansion;
mod mistakes;
mod rules;
mod samconfig;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use local::template::REGION;
use serde_json::Value;

use self::expansion::{Expansion, FILES, Job};
use self::mistakes::MISTAKES;
use self::rules::Deployed;
use crate::context::Context;
use crate::descriptions::{Error, target_directory};
use crate::{say, tools};

/// The main template with SAM's short forms expanded: resources by logical id, as `CloudFormation`
/// gets them. Functions have an address of S3 for their code, where nothing is. `parameters` hold
/// instead of the template's defaults.
///
/// # Errors
/// Where the tools cannot be had, or SAM refuses the template.
pub(crate) fn expanded(
    workspace: &Path,
    parameters: &BTreeMap<String, String>,
) -> Result<Value, Error> {
    let job = Job::of(workspace, parameters)?;
    let mut expansion = expansion::expand(workspace, &[job])?.remove(0);
    let main = expansion.expanded.remove(FILES[0]);
    main.ok_or_else(|| expansion.complaints.join("\n").into())
}

/// Writes [`expanded`] below `target` and says where.
///
/// # Errors
/// As [`expanded`], or where the file cannot be written.
pub(crate) fn write_expanded(workspace: &Path) -> Result<PathBuf, Error> {
    let template = expanded(workspace, &BTreeMap::new())?;
    let path = target_directory(workspace)?.join("template.json");
    fs_err::write(&path, serde_json::to_vec_pretty(&template)?)?;
    Ok(path)
}

/// What is wrong with the templates, and which mistakes in them would not be found, one sentence
/// each.
///
/// # Errors
/// Where the tools cannot be had, or a mistake cannot be made any more.
pub(crate) fn complaints(workspace: &Path) -> Result<Vec<String>, Error> {
    let runbook = fs_err::read_to_string(workspace.join("infra/docs/RUNBOOK.md"))?;
    let ours = Job::of(workspace, &BTreeMap::new())?;
    let mistaken = MISTAKES.iter().map(|mistake| mistake.made_in(&ours));
    let mut jobs = mistaken.collect::<Result<Vec<_>, _>>()?;
    for (environment, parameters) in samconfig::parameters(workspace)? {
        jobs.push(Job { parameters, lint: environment == "prod", ..ours.clone() });
    }
    let expansions = expansion::expand(workspace, &jobs)?;
    let mut found = expansions.iter().map(|expansion| all_complaints(expansion, &runbook));
    let of_mistakes = MISTAKES.iter().zip(found.by_ref());
    let missed = of_mistakes.filter_map(|(mistake, found)| mistake.missed(&found));
    let missed: Vec<String> = missed.collect();
    let mut complaints: Vec<String> = found.flatten().collect();
    complaints.extend(validated(workspace)?);
    let (made, caught) = (MISTAKES.len(), MISTAKES.len() - missed.len());
    say(&format!("{made} seeded mistakes, {caught} caught"));
    complaints.extend(missed);
    Ok(complaints)
}

fn all_complaints(expansion: &Expansion, runbook: &str) -> Vec<String> {
    let deployed = Deployed { templates: &expansion.expanded, runbook };
    [expansion.complaints.clone(), rules::complaints(&deployed)].concat()
}

/// What `sam validate` has against the template, which looks at it before it is expanded.
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
