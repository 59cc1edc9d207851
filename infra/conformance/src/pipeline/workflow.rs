//! The parts of a workflow that its rehearsal needs: jobs, steps, and their expressions.

use std::collections::BTreeMap;
use std::path::Path;

use sam_template::as_json;
use serde_json::Value;
use tooling::Error;

/// The values of expressions by name: `needs.build.outputs.digest`.
pub(super) type Known = BTreeMap<String, String>;

/// One job.
pub(super) struct Job {
    pub(super) id: String,
    /// The workflow that it calls, instead of steps.
    pub(super) calls: Option<String>,
    /// The inputs of that workflow, by name.
    pub(super) with: BTreeMap<String, String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) outputs: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

/// One step, as it is written.
pub(super) struct Step {
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) uses: Option<String>,
    pub(super) run: Option<String>,
    pub(super) with: BTreeMap<String, String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) condition: Option<String>,
}

/// The jobs of a workflow, each after the jobs that it needs.
///
/// # Errors
///
/// If the workflow cannot be read, or jobs need each other or an unknown job.
pub(super) fn jobs(path: &Path) -> Result<Vec<Job>, Error> {
    let workflow = as_json(path)?;
    let mut jobs: Vec<Job> = Vec::new();
    for (id, job) in workflow["jobs"].as_object().into_iter().flatten() {
        jobs.push(Job {
            id: id.clone(),
            calls: text(&job["uses"]),
            with: texts(&job["with"]),
            env: texts(&job["env"]),
            outputs: texts(&job["outputs"]),
            steps: job["steps"].as_array().into_iter().flatten().map(step).collect(),
        });
    }
    let needs = |id: &str| -> Vec<String> {
        let needs = &workflow["jobs"][id]["needs"];
        let all = needs.as_array().into_iter().flatten();
        all.chain([needs]).filter_map(text).collect()
    };
    let mut sorted: Vec<Job> = Vec::new();
    while !jobs.is_empty() {
        let is_ready = |job: &Job| {
            needs(&job.id).iter().all(|needed| sorted.iter().any(|done| done.id == *needed))
        };
        let next = jobs.iter().position(is_ready);
        let next = next.ok_or("jobs need each other, or one that does not exist")?;
        sorted.push(jobs.remove(next));
    }
    Ok(sorted)
}

fn step(step: &Value) -> Step {
    let uses = text(&step["uses"]);
    let name = text(&step["name"]).or_else(|| uses.clone()).or_else(|| text(&step["run"]));
    Step {
        name: name.unwrap_or_default(),
        id: text(&step["id"]),
        uses,
        run: text(&step["run"]),
        with: texts(&step["with"]),
        env: texts(&step["env"]),
        condition: text(&step["if"]),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    let members = value.as_object().into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

/// A text with its expressions replaced by their values.
///
/// # Errors
///
/// Names an unknown expression: a rehearsal does not invent values.
pub(super) fn resolved(text: &str, known: &Known) -> Result<String, Error> {
    let mut rest = text;
    let mut resolved = String::new();
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").ok_or("an expression does not end")?;
        let expression = expression.trim();
        let value = known.get(expression).ok_or_else(|| format!("{expression} is not known"))?;
        resolved.push_str(before);
        resolved.push_str(value);
        rest = after;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// All values of a map, resolved.
///
/// # Errors
///
/// As [`resolved`].
pub(super) fn all_resolved(
    texts: &BTreeMap<String, String>,
    known: &Known,
) -> Result<BTreeMap<String, String>, Error> {
    texts.iter().map(|(name, text)| Ok((name.clone(), resolved(text, known)?))).collect()
}

/// Whether a step's condition holds. Supported are none, `name == 'word'` and `name != 'word'`.
///
/// # Errors
///
/// If the condition has another form, or the name is unknown.
pub(super) fn holds(condition: Option<&str>, known: &Known) -> Result<bool, Error> {
    let Some(condition) = condition else { return Ok(true) };
    let (name, wanted, word) = match (condition.split_once(" != "), condition.split_once(" == ")) {
        (Some((name, word)), _) => (name, false, word),
        (None, Some((name, word))) => (name, true, word),
        (None, None) => return Err(format!("the condition `{condition}` is not understood").into()),
    };
    let value = known.get(name.trim()).ok_or_else(|| format!("{name} is not known"))?;
    Ok((value == word.trim().trim_matches('\'')) == wanted)
}

#[cfg(test)]
mod tests {
    use house::pipeline::WORKFLOWS;

    use super::*;

    #[test]
    fn an_expression_is_replaced_and_an_unknown_one_is_an_error() {
        let known = Known::from([("inputs.stage".to_owned(), "dev".to_owned())]);
        assert_eq!(resolved("to ${{ inputs.stage }}.", &known).unwrap(), "to dev.");
        assert!(resolved("${{ secrets.KEY }}", &known).is_err());
        assert!(holds(Some("inputs.stage == 'dev'"), &known).unwrap());
        assert!(!holds(Some("inputs.stage != 'dev'"), &known).unwrap());
        assert!(holds(Some("always()"), &known).is_err());
    }

    #[test]
    fn production_comes_after_staging_and_both_take_the_digest_of_the_one_build() {
        let jobs = jobs(&house::workspace().join(WORKFLOWS).join("deploy.yml")).unwrap();
        let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["check", "build", "dev", "staging", "prod"]);
        for job in &jobs[2..] {
            assert_eq!(job.with["digest"], "${{ needs.build.outputs.digest }}", "{}", job.id);
        }
    }
}
