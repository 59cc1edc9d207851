//! `cargo xtask fuzz`: builds the targets of `tests/fuzz` with libFuzzer, and runs each for a time.

mod build;
mod outcome;
mod target;

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Args;
use tooling::{Error, say, target_directory};

use self::outcome::Outcome;
use self::target::Target;

/// Fuzzes everything that receives bytes: builds the targets of tests/fuzz with libFuzzer, and runs
/// each.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The targets. Without any, all.
    targets: Vec<String>,

    /// The time for each target.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,

    /// The number of targets that run at the same time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,

    /// The seed of libFuzzer's random numbers. Without it, each run has another.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    seed: Option<u32>,
}

/// Runs the command.
///
/// # Errors
///
/// If the programs cannot be built, or a target has a finding.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    if !build::has_compiler() {
        say("skipped: there is no C++ compiler, which libFuzzer needs (such as g++)");
        return Ok(());
    }
    let helpers = build::helpers(workspace)?;
    let all = target::all(workspace, &target_directory(workspace)?.join("fuzz"), &helpers)?;
    let targets = chosen(all, &arguments.targets)?;
    let names: Vec<String> = targets.iter().map(Target::program_name).collect();
    build::programs(workspace, &helpers.compiler, &names)?;
    let begun = Instant::now();
    let outcomes = all_run(&targets, arguments)?;
    let findings: usize = outcomes.iter().map(|outcome| outcome.findings.len()).sum();
    let runs: u64 = outcomes.iter().map(|outcome| outcome.runs).sum();
    say(&format!(
        "fuzz: {} targets in {} s, {runs} runs, {findings} findings",
        outcomes.len(),
        begun.elapsed().as_secs(),
    ));
    if findings == 0 { Ok(()) } else { Err("the inputs of the findings are above".into()) }
}

/// The targets with these names, or all.
fn chosen(all: Vec<Target>, names: &[String]) -> Result<Vec<Target>, Error> {
    if let Some(name) = names.iter().find(|name| !all.iter().any(|it| it.name == **name)) {
        let known: Vec<&str> = all.iter().map(|target| target.name.as_str()).collect();
        return Err(format!("there is no target {name}, only {}", known.join(", ")).into());
    }
    Ok(all.into_iter().filter(|it| names.is_empty() || names.contains(&it.name)).collect())
}

/// Runs the targets, several at a time, and prints the outcome of each when it ends.
fn all_run(targets: &[Target], arguments: &Arguments) -> Result<Vec<Outcome>, Error> {
    let time = Duration::from_secs(arguments.seconds);
    let left = Mutex::new(targets.iter());
    let worker = || {
        let mut outcomes = Vec::new();
        loop {
            // A guard in a `while let` would be held for the whole run.
            let next = left.lock().ok().and_then(|mut left| left.next());
            let Some(target) = next else { return Ok::<_, Error>(outcomes) };
            let outcome = target.run(time, arguments.seed)?;
            say(&outcome.line());
            for path in &outcome.findings {
                say(&format!("  {}", target.again(path)));
                say(&format!("  as Base64: {}", target::encoded(path)?));
            }
            for line in &outcome.reasons {
                say(&format!("  {line}"));
            }
            outcomes.push(outcome);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.jobs).map(|_| scope.spawn(worker)).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().map_err(|_| "a worker panicked")??);
        }
        Ok(all)
    })
}
