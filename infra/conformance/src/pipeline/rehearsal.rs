//! `cargo xtask pipeline rehearse`: the jobs of `deploy.yml`, step by step, on this machine.
//!
//! Each step runs the workflow's own script, with the same values passed from job to job. Each job
//! starts without the files of the previous one, as on a separate machine, and has only its downloads.
//! ministack replaces AWS. Steps that need AWS or GitHub are reported as skipped; the last line counts
//! the completed and the skipped steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use demo::seed;
use emulator::standins::Standins;
use house::pipeline::{BUILT, FOLDER, ROLE, WORKFLOWS};
use house::stack::Stack;
use sam_template::Template;
use tokio::runtime::Runtime;
use tooling::context::Context;
use tooling::{Error, say, without_package};

use super::package::Handed;
use super::workflow::{Job, Known, Step, all_resolved, holds, jobs, resolved};
use crate::ministack::{self, Deployed, Emulator};

/// The arguments of a rehearsal.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Builds as for AWS, which takes half an hour. Without it, functions are built without
    /// optimisation.
    #[arg(long)]
    release: bool,

    /// Also rehearses the check before the build, which is `.ci/run`.
    #[arg(long)]
    check: bool,

    /// The tests of dev, by names or parts of names; all by default.
    tests: Vec<String>,
}

/// The account of ministack.
const ACCOUNT: &str = "000000000000";

/// The values of a stage's secrets and variables in GitHub.
const VARIABLES: [(&str, &str); 6] = [
    ("secrets.TRUSTED_HOPS_SECRET", ""),
    ("vars.AWS_ACCOUNT_ID", ACCOUNT),
    ("vars.AWS_REGION", sam_template::REGION),
    ("vars.BOUNDARY_ARN", "arn:aws:iam::000000000000:policy/rehearsal"),
    ("vars.CLOUDFORMATION_ROLE_ARN", "arn:aws:iam::000000000000:role/rehearsal-cloudformation"),
    ("vars.CODEDEPLOY_ROLE_ARN", "arn:aws:iam::000000000000:role/rehearsal-codedeploy"),
];

/// The step that ends with a change set, after which ministack deploys.
const DEPLOY: &str = "Deploy";

/// Steps that need GitHub.
const OF_GITHUB: [&str; 1] = ["Approval"];

/// The reason for which a step is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Skipped {
    Aws,
    GitHub,
    Check,
}

struct Rehearsal<'a> {
    workspace: &'a Path,
    arguments: &'a Arguments,
    /// The folder of uploaded artifacts and of steps' outputs.
    folder: PathBuf,
    runtime: Runtime,
    standins: Standins,
    /// The number of completed steps.
    done: usize,
    skipped: BTreeMap<Skipped, usize>,
}

/// Runs all jobs in their order, and prints a summary.
///
/// # Errors
///
/// Names the job and the step that fails.
pub(crate) fn rehearse(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let started = Instant::now();
    let summary = run(workspace, arguments)?;
    say(&format!("\nrehearsed: {summary}, in {} s", started.elapsed().as_secs()));
    Ok(())
}

/// Runs all jobs. Returns the numbers of completed and skipped steps.
fn run(workspace: &Path, arguments: &Arguments) -> Result<String, Error> {
    let folder = workspace.join("target/rehearsal");
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    fs_err::create_dir_all(&folder)?;
    let runtime = Runtime::new()?;
    let standins = runtime.block_on(demo::standins::start())?;
    let (done, skipped) = (0, BTreeMap::new());
    let mut rehearsal =
        Rehearsal { workspace, arguments, folder, runtime, standins, done, skipped };
    let mut known = Known::new();
    for job in jobs(&workspace.join(WORKFLOWS).join("deploy.yml"))? {
        let outputs =
            rehearsal.job(&job, &known).map_err(|error| format!("{}: {error}", job.id))?;
        let named = |(name, value)| (format!("needs.{}.outputs.{name}", job.id), value);
        known.extend(outputs.into_iter().map(named));
    }
    Ok(rehearsal.summary())
}

impl Rehearsal<'_> {
    fn summary(&self) -> String {
        let whose = self.skipped.iter().map(|(whose, count)| match whose {
            Skipped::Aws => format!("{count} of AWS"),
            Skipped::GitHub => format!("{count} of GitHub"),
            Skipped::Check => format!("{count} without --check"),
        });
        let (skipped, whose): (usize, Vec<String>) = (self.skipped.values().sum(), whose.collect());
        match skipped {
            0 => format!("{} steps, none skipped", self.done),
            _ => format!("{} steps, {skipped} skipped ({})", self.done, whose.join(", ")),
        }
    }

    fn skip(&mut self, whose: Skipped, what: &str) {
        say(&format!("skipped: {what}"));
        *self.skipped.entry(whose).or_default() += 1;
    }

    /// Runs a job, or the jobs of the workflow that it calls. Returns its outputs.
    fn job(&mut self, job: &Job, known: &Known) -> Result<BTreeMap<String, String>, Error> {
        say(&format!("\n== {}", job.id));
        if job.id == "check" && !self.arguments.check {
            self.skip(Skipped::Check, "check: it is `.ci/run`; --check runs it");
            return Ok(BTreeMap::new());
        }
        if let Some(called) = &job.calls {
            let inputs = all_resolved(&job.with, known)?;
            let inputs = inputs.into_iter().map(|(name, value)| (format!("inputs.{name}"), value));
            let known: Known = inputs.collect();
            for inner in jobs(&self.workspace.join(called))? {
                self.steps(&inner, &known)?;
            }
            return Ok(BTreeMap::new());
        }
        self.steps(job, known)
    }

    fn steps(&mut self, job: &Job, known: &Known) -> Result<BTreeMap<String, String>, Error> {
        for left in [FOLDER, BUILT] {
            let left = self.workspace.join(left);
            if left.exists() {
                fs_err::remove_dir_all(left)?;
            }
        }
        let mut known = known.clone();
        known.extend(VARIABLES.map(|(name, value)| (name.to_owned(), value.to_owned())));
        // Ends with the job.
        let mut aws: Option<Aws> = None;
        for step in &job.steps {
            let outputs = self.step(job, step, &known, &mut aws);
            let outputs = outputs.map_err(|error| format!("{}: {error}", step.name))?;
            if let Some(id) = &step.id {
                let named = |(name, value)| (format!("steps.{id}.outputs.{name}"), value);
                known.extend(outputs.into_iter().map(named));
            }
        }
        all_resolved(&job.outputs, &known)
    }

    /// Runs or skips one step. Returns its outputs.
    fn step(
        &mut self,
        job: &Job,
        step: &Step,
        known: &Known,
        aws: &mut Option<Aws>,
    ) -> Result<BTreeMap<String, String>, Error> {
        if !holds(step.condition.as_deref(), known)? {
            return Ok(BTreeMap::new());
        }
        if let Some(uses) = &step.uses {
            if uses.starts_with("aws-actions/configure-aws-credentials@") {
                *aws = Some(Aws::start(self, known.get("inputs.stage").unwrap_or(&job.id))?);
            }
            self.action(uses, step)?;
            return Ok(BTreeMap::new());
        }
        if OF_GITHUB.contains(&step.name.as_str()) {
            self.skip(Skipped::GitHub, &format!("{}: it asks GitHub", step.name));
            return Ok(BTreeMap::new());
        }
        if step.name == DEPLOY {
            let aws = aws.as_mut().ok_or("there are no credentials yet")?;
            self.deploy(job, step, known, aws)?;
            return Ok(BTreeMap::new());
        }
        let more = aws.as_ref().map(|aws| aws.env(self.arguments));
        self.run(job, step, known, more.unwrap_or_default())
    }

    /// Runs the deployment up to its change set, compares that with the build, and deploys to
    /// ministack.
    fn deploy(
        &mut self,
        job: &Job,
        step: &Step,
        known: &Known,
        aws: &mut Aws,
    ) -> Result<(), Error> {
        let stage = known.get("inputs.stage").ok_or("the job names no stage")?;
        let endpoint = aws.emulator.endpoint.clone();
        let handed = Handed::start(self.workspace, stage, &endpoint, &self.runtime)?;
        self.run(job, step, known, handed.variables().into())?;
        handed.check(all_resolved(&step.env, known)?.get(ROLE).map(String::as_str))?;
        let what = "the change set is not executed, which needs AWS; ministack deploys instead";
        self.skip(Skipped::Aws, &format!("{DEPLOY}: {what}"));
        aws.deploy(self, stage)
    }

    /// Performs an action that passes files from job to job. Skips the actions of GitHub and AWS.
    fn action(&mut self, uses: &str, step: &Step) -> Result<(), Error> {
        let handed = || {
            let path = step.with.get("path").ok_or("the step names no path")?;
            let artifact = step.with.get("name").ok_or("the step names no artifact")?;
            Ok::<_, Error>((self.workspace.join(path), self.folder.join(artifact)))
        };
        if uses.starts_with("actions/upload-artifact@") {
            let (from, to) = handed()?;
            say(&format!("> {}", step.name));
            fs_err::copy(from, to)?;
            self.done += 1;
        } else if uses.starts_with("actions/download-artifact@") {
            let (to, from) = handed()?;
            say(&format!("> {}", step.name));
            fs_err::create_dir_all(&to)?;
            fs_err::copy(from, to.join("artifacts.tar"))?;
            self.done += 1;
        } else {
            let whose =
                if uses.starts_with("aws-actions/") { Skipped::Aws } else { Skipped::GitHub };
            self.skip(whose, &format!("{}: {uses}", step.name));
        }
        Ok(())
    }

    /// Runs the script of a step. Returns its outputs.
    fn run(
        &mut self,
        job: &Job,
        step: &Step,
        known: &Known,
        aws: Vec<(&'static str, String)>,
    ) -> Result<BTreeMap<String, String>, Error> {
        let script = step.run.as_deref().ok_or("a step neither runs nor uses anything")?;
        let script = resolved(script, known)?;
        say(&format!("> {}: {}", step.name, script.trim()));
        let outputs = self.folder.join("outputs.txt");
        fs_err::write(&outputs, "")?;
        let mut bash = Command::new("bash");
        bash.args(["-e", "-o", "pipefail", "-c", &script]).current_dir(self.workspace);
        bash.envs(all_resolved(&job.env, known)?).envs(all_resolved(&step.env, known)?);
        without_package(&mut bash);
        bash.env("GITHUB_OUTPUT", &outputs);
        if !self.arguments.release {
            bash.env("SAM_BUILD_MODE", "debug");
        }
        let ended = bash.envs(aws).status().context(|| "bash")?;
        if !ended.success() {
            return Err(ended.to_string().into());
        }
        self.done += 1;
        let written = fs_err::read_to_string(&outputs)?;
        let pairs = written.lines().filter_map(|line| line.split_once('='));
        Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// ministack instead of AWS, for one job.
struct Aws {
    emulator: Emulator,
    /// The address of the API, once it is deployed.
    url: Option<String>,
}

impl Aws {
    fn start(rehearsal: &Rehearsal<'_>, stage: &str) -> Result<Self, Error> {
        let log = rehearsal.folder.join(format!("{stage}-ministack.log"));
        Ok(Self { emulator: Emulator::start(rehearsal.workspace, &log)?, url: None })
    }

    /// Deploys the programs that the job has unpacked, without the demo's users and products.
    fn deploy(&mut self, rehearsal: &Rehearsal<'_>, stage: &str) -> Result<(), Error> {
        let workspace = rehearsal.workspace;
        let samconfig = fs_err::read_to_string(workspace.join("samconfig.toml"))?;
        let template = Template::read(&workspace.join("template.yaml"), &BTreeMap::new())?;
        let built = workspace.join(BUILT);
        let program = |id: &str, _: &str| built.join(id).join("bootstrap");
        let stack = Stack::of(&samconfig, stage)?.name;
        let deployed = Deployed { stack: &stack, program: &program, seeds: false };
        let deploying = ministack::deploy(
            workspace,
            &self.emulator.endpoint,
            &template,
            &deployed,
            &rehearsal.standins,
        );
        let deployment = rehearsal.runtime.block_on(deploying)?;
        let missing = deployment.complaints(&template);
        if !missing.is_empty() {
            return Err(missing.join("\n").into());
        }
        self.url = Some(deployment.url(&self.emulator.endpoint));
        Ok(())
    }

    /// The environment of a step: the address of ministack, and the arguments of the tests.
    fn env(&self, arguments: &Arguments) -> Vec<(&'static str, String)> {
        let left_out = ministack::DIFFERENT.iter().map(|test| format!("--skip {test}"));
        let tests: Vec<String> = arguments.tests.iter().cloned().chain(left_out).collect();
        let mut env = vec![
            ("AWS_ENDPOINT_URL", self.emulator.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("SILENT_ISSUER", seed::SILENT_ISSUER.to_owned()),
            ("TEST_ARGUMENTS", tests.join(" ")),
        ];
        env.extend(self.url.iter().map(|url| ("API_URL", url.clone())));
        env
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rehearses a workflow of one job with these steps.
    fn rehearsed(name: &str, steps: &str) -> Result<String, String> {
        let workspace =
            std::env::temp_dir().join(format!("rehearsal-{name}-{}", std::process::id()));
        let workflows = workspace.join(WORKFLOWS);
        fs_err::create_dir_all(&workflows).unwrap();
        let job = format!("jobs:\n  build:\n    steps:\n{steps}");
        fs_err::write(workflows.join("deploy.yml"), job).unwrap();
        let arguments = Arguments { release: false, check: false, tests: Vec::new() };
        let ended = run(&workspace, &arguments).map_err(|error| error.to_string());
        fs_err::remove_dir_all(&workspace).unwrap();
        ended
    }

    #[test]
    fn a_failing_step_ends_the_rehearsal_with_its_job_name_and_status() {
        let steps = "      - {name: Build, run: 'true'}\n      - {name: Pack, run: 'exit 3'}\n";
        let failed = rehearsed("fails", steps).unwrap_err();
        assert_eq!(failed, "build: Pack: exit status: 3");
    }

    #[test]
    fn completed_and_skipped_steps_are_counted() {
        let steps = "      - {name: Sources, uses: actions/checkout@v1}\n      - {name: Build, run: 'true'}\n";
        let summary = rehearsed("counts", steps);
        assert_eq!(summary.unwrap(), "1 steps, 1 skipped (1 of GitHub)");
    }
}
