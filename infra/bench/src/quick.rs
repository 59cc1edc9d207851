//! `cargo xtask bench --quick`: counts the instructions of warm invocations, and compares them
//! with the committed counts.
//!
//! Time on a shared machine differs from run to run by more than most changes cost. Instructions
//! do not: callgrind runs the program on a simulated processor. It runs twice, for a number of
//! events and for twice as many; the difference leaves the start out. Two runs differ by some
//! 0.25 %.
//!
//! A start opens connections for one second at most, which is little for a processor that is fifty
//! times slower. The first event does again all that was not ready by then: a TLS handshake has
//! three million instructions. So only runs with the same number of connections are compared.
//!
//! The programs are built with the profile [`PROFILE`] and the features of the workspace, so that
//! they share their dependencies with all other steps of `.ci/run`. The counts are therefore not
//! those of deployed programs. But more work in a stage, another call or another copy of a body is
//! more instructions in any profile.

mod callgrind;
mod counts;

use std::env::consts::ARCH;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use tooling::{Error, say};

use self::counts::{Count, Counts, FILE};
use super::arguments::Arguments;
use super::binaries::{self, Binaries};
use super::candidates::{self, AUTHORIZER, CACHED, Candidate, ORDER, READ, USER};
use super::function::Function;
use super::setup::Setup;

/// The profile of the measured programs.
const PROFILE: &str = "dev";
/// The folder of that profile's programs.
const FOLDER: &str = "debug";
/// The measured warm paths.
const MEASURED: [&str; 5] = [CACHED, READ, ORDER, USER, AUTHORIZER];
/// The number of events whose instructions are counted. Before them, a run has as many others.
const EVENTS: u32 = 200;
/// How often a pair of runs is repeated, at most, whose numbers of connections differ.
const REPETITIONS_MAX: u32 = 8;
/// The time limit for one step of a program, which callgrind makes fifty times slower.
const PATIENCE: Duration = Duration::from_mins(3);

pub(super) fn run(workspace: &Path, arguments: &Arguments) -> Result<ExitCode, Error> {
    let Some(valgrind) = callgrind::program() else {
        say("skipped: there is no valgrind");
        return Ok(ExitCode::SUCCESS);
    };
    let committed = counts::read(workspace)?;
    if let Some(committed) = &committed
        && committed.architecture != ARCH
        && !arguments.write
    {
        say(&format!("skipped: {FILE} has the counts of {}", committed.architecture));
        return Ok(ExitCode::SUCCESS);
    }
    let candidates = candidates::named(&chosen(&arguments.only)?)?;
    if !arguments.no_build {
        binaries::build_beside_others(workspace, &candidates)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let counts = runtime.block_on(count_all(workspace, &valgrind, &candidates))?;
    let counts = Counts { profile: PROFILE.to_owned(), architecture: ARCH.to_owned(), counts };
    if arguments.write {
        counts::write(workspace, &counts)?;
    }
    let committed = if arguments.write { Some(counts.clone()) } else { committed };
    say(&counts::table(&counts, committed.as_ref()));
    let complaints = counts::complaints(&counts, committed.as_ref());
    for complaint in &complaints {
        say(complaint);
    }
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The names of the functions to measure: all, or the ones in `--only`.
fn chosen(only: &[String]) -> Result<Vec<String>, Error> {
    if let Some(other) = only.iter().find(|name| !MEASURED.contains(&name.as_str())) {
        return Err(format!("--quick measures {}, not {other}", MEASURED.join(", ")).into());
    }
    Ok(if only.is_empty() { MEASURED.map(str::to_owned).into() } else { only.to_vec() })
}

async fn count_all(
    workspace: &Path,
    valgrind: &Path,
    candidates: &[&'static Candidate],
) -> Result<Vec<Count>, Error> {
    let setup = Setup::new(Binaries::of(workspace, FOLDER)?, workspace).await?;
    let mut counts = Vec::new();
    for candidate in candidates {
        let instructions = per_event(&setup, valgrind, candidate).await;
        let instructions = instructions.map_err(|error| format!("{}: {error}", candidate.name))?;
        counts.push(Count { name: candidate.name.to_owned(), instructions });
    }
    Ok(counts)
}

/// The instructions of one event, by two runs that differ by events alone.
async fn per_event(
    setup: &Setup,
    valgrind: &Path,
    candidate: &'static Candidate,
) -> Result<u32, Error> {
    let mut connections = Vec::new();
    for _ in 0..=REPETITIONS_MAX {
        let fewer = Run::new(setup, valgrind, candidate, EVENTS).await?;
        let more = Run::new(setup, valgrind, candidate, EVENTS * 2).await?;
        if fewer.connections == more.connections {
            return callgrind::per_event(fewer.instructions, more.instructions, EVENTS);
        }
        connections.push((fewer.connections, more.connections));
    }
    Err(format!(
        "the numbers of connections with {EVENTS} events and with twice as many always differ: \
         {connections:?}"
    )
    .into())
}

/// A program from its start to its end.
struct Run {
    instructions: u64,
    connections: u64,
}

impl Run {
    async fn new(
        setup: &Setup,
        valgrind: &Path,
        candidate: &'static Candidate,
        events: u32,
    ) -> Result<Self, Error> {
        let output = setup.file("callgrind.out");
        let before = setup.services.connections();
        let mut command = Command::new(valgrind);
        command
            .args(["--tool=callgrind", "--quiet"])
            .arg(format!("--callgrind-out-file={}", output.display()))
            .arg(setup.binary(candidate)?);
        let (mut function, _) = Function::start_by(command, setup, candidate, PATIENCE).await?;
        for _ in 0..events {
            function.invoke(&(candidate.event)(&setup.events)).await?;
        }
        // Callgrind writes its file when the program ends by a signal that it can see.
        function.end().await?;
        let instructions = callgrind::total(&fs_err::read_to_string(&output)?)?;
        Ok(Self { instructions, connections: setup.services.connections() - before })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_committed_functions_can_be_chosen() {
        assert_eq!(chosen(&[]).unwrap().len(), MEASURED.len());
        assert_eq!(chosen(&[USER.to_owned()]).unwrap(), [USER]);
        let error = chosen(&["bare_json".to_owned()]).unwrap_err();
        assert!(error.to_string().ends_with("not bare_json"), "{error}");
    }
}
