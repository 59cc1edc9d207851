//! `cargo xtask pipeline rehearse`: the jobs of `deploy.yml`, step by step, on this machine.
//!
//! What a step runs is what the workflow says, with the same values handed from job to job. Each job
//! begins without what the one before has built, as on a machine of its own, and has only what it
//! downloads. ministack stands in the place of AWS. Steps that need AWS or GitHub are said to be skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use local::seed;
use local::standins::Standins;
use sam_template::Template;
use tokio::runtime::Runtime;

use super::build::{BUILT, FOLDER};
use super::workflow::{Job, Known, Step, all_resolved, holds, jobs, resolved};
use crate::deploy::Stack;
use crate::descriptions::Error;
use crate::ministack::{self, Deployed, Emulator};
use crate::process::succeeded;
use crate::{say, workflows};

/// What to rehearse.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Builds as for AWS: small, quick, and for half an hour. Without it, functions are built quickly.
    #[arg(long)]
    release: bool,

    /// Rehearses the check before the build too, which is `.ci/run`.
    #[arg(long)]
    check: bool,

    /// The tests of dev, by names or parts of names; all without any.
    tests: Vec<String>,
}

/// The account that ministack is.
const ACCOUNT: &str = "000000000000";

/// The step in whose place ministack deploys.
const DEPLOY: &str = "Deploy";

/// Steps that ask GitHub.
const OF_GITHUB: [&str; 1] = ["Approval"];

struct Rehearsal<'a> {
    workspace: &'a Path,
    arguments: &'a Arguments,
    /// Where uploaded artifacts are, and outputs of steps.
    folder: PathBuf,
    runtime: Runtime,
    standins: Standins,
}

/// Runs all jobs in their order.
///
/// # Errors
///
/// Where a step fails, as the workflow would.
pub(super) fn rehearse(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let folder = workspace.join("target/rehearsal");
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    fs_err::create_dir_all(&folder)?;
    let runtime = Runtime::new()?;
    let standins = runtime.block_on(Standins::start())?;
    let rehearsal = Rehearsal { workspace, arguments, folder, runtime, standins };
    let mut known = Known::new();
    for job in jobs(&workspace.join(workflows::FOLDER).join("deploy.yml"))? {
        let outputs =
            rehearsal.job(&job, &known).map_err(|error| format!("{}: {error}", job.id))?;
        let named = |(name, value)| (format!("needs.{}.outputs.{name}", job.id), value);
        known.extend(outputs.into_iter().map(named));
    }
    Ok(())
}

impl Rehearsal<'_> {
    /// Runs a job, or that of the workflow that it calls; gives its outputs.
    fn job(&self, job: &Job, known: &Known) -> Result<BTreeMap<String, String>, Error> {
        say(&format!("\n== {}", job.id));
        if job.id == "check" && !self.arguments.check {
            say("skipped: check: it is `.ci/run`; --check runs it");
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

    fn steps(&self, job: &Job, known: &Known) -> Result<BTreeMap<String, String>, Error> {
        for left in [FOLDER, BUILT] {
            let left = self.workspace.join(left);
            if left.exists() {
                fs_err::remove_dir_all(left)?;
            }
        }
        let mut known = known.clone();
        known.extend(
            [("vars.AWS_ACCOUNT_ID", ACCOUNT), ("vars.AWS_REGION", sam_template::REGION)]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        // Ends with the job.
        let mut aws: Option<Aws> = None;
        for step in &job.steps {
            if !holds(step.condition.as_deref(), &known)? {
                continue;
            }
            if step.name == DEPLOY {
                let stage = known.get("inputs.stage").ok_or("the job names no stage")?;
                say(&format!(
                    "skipped: {DEPLOY}: `sam deploy` needs AWS; ministack deploys instead"
                ));
                aws.as_mut().ok_or("there are no credentials yet")?.deploy(self, stage)?;
                continue;
            }
            if let Some(uses) = &step.uses {
                if uses.starts_with("aws-actions/configure-aws-credentials@") {
                    aws = Some(Aws::start(self, &job.id)?);
                }
                self.action(uses, step)?;
                continue;
            }
            let outputs = self.run(job, step, &known, aws.as_ref())?;
            if let Some(id) = &step.id {
                let named = |(name, value)| (format!("steps.{id}.outputs.{name}"), value);
                known.extend(outputs.into_iter().map(named));
            }
        }
        all_resolved(&job.outputs, &known)
    }

    /// What an action does that hands files from job to job; the others are GitHub's or AWS's.
    fn action(&self, uses: &str, step: &Step) -> Result<(), Error> {
        let handed = |name: &str| {
            let path = step.with.get("path").ok_or("the step names no path")?;
            let artifact = step.with.get(name).ok_or("the step names no artifact")?;
            Ok::<_, Error>((self.workspace.join(path), self.folder.join(artifact)))
        };
        if uses.starts_with("actions/upload-artifact@") {
            let (from, to) = handed("name")?;
            say(&format!("> {}", step.name));
            fs_err::copy(from, to)?;
        } else if uses.starts_with("actions/download-artifact@") {
            let (to, from) = handed("name")?;
            say(&format!("> {}", step.name));
            fs_err::create_dir_all(&to)?;
            fs_err::copy(from, to.join("artifacts.tar"))?;
        } else {
            say(&format!("skipped: {}: {uses}", step.name));
        }
        Ok(())
    }

    /// Runs what a step runs; gives its outputs.
    fn run(
        &self,
        job: &Job,
        step: &Step,
        known: &Known,
        aws: Option<&Aws>,
    ) -> Result<BTreeMap<String, String>, Error> {
        if OF_GITHUB.contains(&step.name.as_str()) {
            say(&format!("skipped: {}: it asks GitHub", step.name));
            return Ok(BTreeMap::new());
        }
        let script = step.run.as_deref().ok_or("a step neither runs nor uses anything")?;
        let script = resolved(script, known)?;
        say(&format!("> {}: {}", step.name, script.trim()));
        let outputs = self.folder.join("outputs.txt");
        fs_err::write(&outputs, "")?;
        let mut bash = Command::new("bash");
        bash.args(["-e", "-o", "pipefail", "-c", &script]).current_dir(self.workspace);
        bash.envs(all_resolved(&job.env, known)?).envs(all_resolved(&step.env, known)?);
        bash.env("GITHUB_OUTPUT", &outputs);
        if !self.arguments.release {
            bash.env("SAM_BUILD_MODE", "debug");
        }
        if let Some(aws) = aws {
            aws.env(&mut bash, self.arguments);
        }
        succeeded(&mut bash)?;
        let written = fs_err::read_to_string(&outputs)?;
        let pairs = written.lines().filter_map(|line| line.split_once('='));
        Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// ministack in the place of AWS, for one job.
struct Aws {
    emulator: Emulator,
    /// Where the API is, once it is deployed.
    url: Option<String>,
}

impl Aws {
    fn start(rehearsal: &Rehearsal<'_>, job: &str) -> Result<Self, Error> {
        let log = rehearsal.folder.join(format!("{job}-ministack.log"));
        Ok(Self { emulator: Emulator::start(rehearsal.workspace, &log)?, url: None })
    }

    /// Deploys the programs that the job has unpacked, without the demo's people and products.
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

    /// Makes it known to a step, with what is otherwise there.
    fn env(&self, command: &mut Command, arguments: &Arguments) {
        command.env("AWS_ENDPOINT_URL", &self.emulator.endpoint);
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("SILENT_ISSUER", seed::SILENT_ISSUER);
        let left_out = ministack::DIFFERENT.iter().map(|test| format!("--skip {test}"));
        let tests: Vec<String> = arguments.tests.iter().cloned().chain(left_out).collect();
        command.env("TEST_ARGUMENTS", tests.join(" "));
        if let Some(url) = &self.url {
            command.env("API_URL", url);
        }
    }
}
