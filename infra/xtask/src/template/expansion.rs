//! Expands templates as AWS does: without SAM's short forms and loops.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use house::tools;
use sam_template::parse_json;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tooling::Error;

use super::stamp::stamp;

/// Our templates: first the main one, then those nested in it, then the one deployed separately.
pub(super) const FILES: [&str; 7] = [
    "template.yaml",
    "infra/alarms.yaml",
    "infra/dashboard.yaml",
    "infra/deployments.yaml",
    "infra/backup.yaml",
    "infra/edge.yaml",
    "infra/waf.yaml",
];

/// Templates to expand.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Job {
    /// Their texts, by path.
    pub(super) files: BTreeMap<&'static str, String>,
    /// Values that replace defaults of the first template's parameters.
    pub(super) parameters: BTreeMap<String, String>,
    /// Whether cfn-lint checks the result. Then the template should not be stamped.
    pub(super) lint: bool,
    /// Whether the first template is stamped before, like a deployed one.
    #[serde(skip)]
    pub(super) stamped: bool,
}

/// The result of an expansion.
#[derive(Debug, Deserialize)]
pub(super) struct Expansion {
    /// The expanded templates, by path.
    pub(super) expanded: BTreeMap<String, Value>,
    /// The problems that SAM and cfn-lint report.
    pub(super) complaints: Vec<String>,
}

impl Job {
    /// The workspace's own templates.
    pub(super) fn of(
        workspace: &Path,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let read = |path: &'static str| -> Result<_, Error> {
            let text = fs_err::read_to_string(workspace.join(path));
            Ok((path, text.map_err(|error| format!("{path}: {error}"))?))
        };
        let files = FILES.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { files, parameters: parameters.clone(), lint: false, stamped: true })
    }

    /// The job, with the first template stamped with its parameters.
    fn ready(&self) -> Result<Self, Error> {
        let mut ready = self.clone();
        if let Some(main) = ready.files.get_mut(FILES[0]).filter(|_| self.stamped) {
            let mut template = parse_json(main)?;
            let declared = template["Parameters"].clone();
            stamp(&mut template, &declared, &self.parameters)?;
            *main = template.to_string();
        }
        Ok(ready)
    }
}

/// Expands all jobs in one Python process: starting it takes most of the time.
///
/// # Errors
/// If the tools cannot be installed, or fail.
pub(super) fn expand(workspace: &Path, jobs: &[Job]) -> Result<Vec<Expansion>, Error> {
    let ready = jobs.iter().map(Job::ready).collect::<Vec<_>>();
    let sound: Vec<&Job> = ready.iter().flatten().collect();
    let mut expansions: VecDeque<Expansion> = tools::ask(workspace, "sam", "expand.py", &sound)?;
    let expansion = |ready: Result<Job, Error>| match ready {
        Ok(_) => expansions.pop_front().ok_or_else(|| "expand.py returned too few results".into()),
        Err(error) => {
            let complaints = vec![format!("{}: {error}", FILES[0])];
            Ok(Expansion { expanded: BTreeMap::new(), complaints })
        }
    };
    ready.into_iter().map(expansion).collect()
}
