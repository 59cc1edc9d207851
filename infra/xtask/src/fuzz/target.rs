//! A target: its program, its folders, and a run of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fs_err as fs;
use tooling::Error;
use tooling::context::Context;

use super::build::Helpers;
use super::outcome::Outcome;

/// The time for one input, in seconds: inputs take milliseconds.
const INPUT_S: u32 = 10;
/// The memory of a program.
const MEMORY_MB: u32 = 2048;

/// A target.
pub(super) struct Target {
    pub(super) name: String,
    program: PathBuf,
    /// The longest input.
    max_len: String,
    /// Where libFuzzer keeps the inputs that reach further.
    work: PathBuf,
    /// Further inputs to begin with: the seeds, and the committed inputs if there are some.
    given: Vec<PathBuf>,
    dictionary: PathBuf,
    findings: PathBuf,
}

/// Writes the seeds of all targets, and returns the targets. Their programs will be in the folder of the
/// compiler, since cargo puts all programs of a profile in one folder.
pub(super) fn all(
    workspace: &Path,
    folder: &Path,
    helpers: &Helpers,
) -> Result<Vec<Target>, Error> {
    let seeds = made(folder.join("seeds"))?;
    let mut writer = Command::new(&helpers.seeds);
    let printed = writer.arg(&seeds).stderr(Stdio::inherit()).output().context(|| "seeds")?;
    if !printed.status.success() {
        return Err("the seeds cannot be written".into());
    }
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    let targets = printed.lines().filter_map(|line| line.split_once(' ')).map(|(name, max_len)| {
        let committed = workspace.join("tests/fuzz/corpus").join(name);
        let given = [seeds.join(name), committed];
        Ok(Target {
            name: name.to_owned(),
            program: helpers.compiler.with_file_name(program_name(name)),
            max_len: max_len.to_owned(),
            work: made(folder.join("corpus").join(name))?,
            given: given.into_iter().filter(|path| path.is_dir()).collect(),
            dictionary: seeds.join(format!("{name}.dict")),
            findings: made(folder.join("findings").join(name))?,
        })
    });
    targets.collect()
}

/// The name of a target's program.
fn program_name(target: &str) -> String {
    format!("fuzz_{target}")
}

impl Target {
    /// The name of its program.
    pub(super) fn program_name(&self) -> String {
        program_name(&self.name)
    }

    /// Runs the program for this time, or until it finds something.
    pub(super) fn run(&self, time: Duration, seed: Option<u32>) -> Result<Outcome, Error> {
        let log = self.findings.with_extension("log");
        let mut program = Command::new(&self.program);
        program.arg(format!("-max_total_time={}", time.as_secs()));
        program.arg(format!("-timeout={INPUT_S}")).arg(format!("-rss_limit_mb={MEMORY_MB}"));
        program.arg(format!("-max_len={}", self.max_len)).arg("-print_final_stats=1");
        program.arg(format!("-dict={}", self.dictionary.display()));
        program.arg(format!("-artifact_prefix={}/", self.findings.display()));
        program.args(seed.map(|seed| format!("-seed={seed}")));
        program.arg(&self.work).args(&self.given);
        program.stdout(Stdio::null()).stderr(fs::File::create(&log)?.into_file());
        let status = program.status().context(|| self.program.display())?;
        let printed = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        let outcome = Outcome::of(&self.name, &printed);
        if !status.success() && outcome.findings.is_empty() {
            return Err(format!("{} ended with {status}; see {}", self.name, log.display()).into());
        }
        Ok(outcome)
    }

    /// The command that runs the target on this input alone.
    pub(super) fn again(&self, input: &Path) -> String {
        format!("{} {}", self.program.display(), input.display())
    }
}

/// An input as text, so that the output of a run on another machine is enough to repeat a finding.
pub(super) fn encoded(input: &Path) -> Result<String, Error> {
    Ok(STANDARD.encode(fs::read(input)?))
}

/// Makes a folder, and returns it.
fn made(folder: PathBuf) -> Result<PathBuf, Error> {
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
