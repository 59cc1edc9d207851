//! `cargo xtask bench`: measures our functions and bare ones in one run.
//!
//! Every round starts each function once, in the same order, so that other load on the machine
//! affects all alike. A function uses a stub of the Runtime API, and a stub of its services behind
//! TLS 1.3. All times are measured from outside.

mod arguments;
mod binaries;
mod callback;
mod candidates;
mod events;
mod figures;
mod function;
mod growth;
mod hostile;
mod items;
mod lambda;
mod local;
mod process;
mod quick;
mod quota;
mod report;
mod services;
mod setup;
mod sign_in;
mod targets;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use bytes::Bytes;
use clap::Parser;
use house::workspace;
use tooling::context::Context;
use tooling::terminal::fail;
use tooling::{Error, say};

use self::arguments::{Arguments, Subcommand};
use self::binaries::Binaries;
use self::candidates::Candidate;
use self::figures::{Figures, ms};
use self::function::Function;
use self::quota::Quota;
use self::setup::Setup;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Elsewhere only the functions' own work is compared, so a slow stub does not matter.
    let has_times = !arguments.quick && !matches!(arguments.command, Some(Subcommand::Hostile(_)));
    let result = if cfg!(debug_assertions) && has_times {
        run_optimised(workspace())
    } else {
        measure(workspace(), &arguments)
    };
    result.unwrap_or_else(|error| fail("bench", &error))
}

/// Runs the same command in an optimised build of this program: a slow stub would distort the times.
fn run_optimised(workspace: &Path) -> Result<ExitCode, Error> {
    binaries::build(workspace, "tool", &["--package", "bench"])?;
    let binary = Binaries::of(workspace, "tool")?.path("bench")?;
    let status = Command::new(binary).args(std::env::args_os().skip(1)).status();
    let status = status.context(|| "bench")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(workspace: &Path, arguments: &Arguments) -> Result<ExitCode, Error> {
    if arguments.quick {
        return quick::run(workspace, arguments);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match &arguments.command {
        Some(Subcommand::Local(local)) => return runtime.block_on(local::run(workspace, local)),
        Some(Subcommand::Callback(posts)) => {
            return runtime.block_on(callback::run(workspace, posts));
        }
        Some(Subcommand::Growth(growth)) => {
            return runtime.block_on(growth::run(workspace, growth));
        }
        Some(Subcommand::Hostile(bodies)) => {
            return runtime.block_on(hostile::run(workspace, bodies));
        }
        Some(Subcommand::SignIn(guesses)) => {
            return runtime.block_on(sign_in::run(workspace, guesses));
        }
        None => {}
    }
    let candidates = candidates::named(&arguments.only)?;
    if !arguments.no_build {
        binaries::build_candidates(workspace, &candidates)?;
    }
    let figures = runtime.block_on(all_rounds(workspace, &candidates, arguments))?;
    say(&report::tables(&figures, arguments));
    say(&targets::verdicts(&figures));
    Ok(ExitCode::SUCCESS)
}

async fn all_rounds(
    workspace: &Path,
    candidates: &[&'static Candidate],
    arguments: &Arguments,
) -> Result<Vec<Figures>, Error> {
    let setup = Setup::new(Binaries::of(workspace, "release")?, workspace).await?;
    let quota = Quota::of_128_mb(Duration::from_millis(arguments.period_ms));
    let mut figures: Vec<_> = candidates.iter().map(|candidate| Figures::of(candidate)).collect();
    for _ in 0..arguments.rounds {
        for figures in &mut figures {
            at_full_speed(&setup, figures, arguments.warm).await?;
            if let Ok(quota) = &quota {
                with_128_mb(&setup, figures, quota).await?;
            }
        }
    }
    for figures in &mut figures {
        let bytes = fs_err::metadata(setup.binary(figures.candidate)?)?.len();
        figures.binary_mb = Some(f64::from(u32::try_from(bytes)?) / 1_000_000.0);
    }
    if let Err(error) = quota {
        say(&format!("No cgroup could be created ({error}): nothing is measured at 128 MB.\n"));
    }
    Ok(figures)
}

/// One start, its first response, and warm invocations.
async fn at_full_speed(setup: &Setup, figures: &mut Figures, warm: u32) -> Result<(), Error> {
    let candidate = figures.candidate;
    let (mut function, init) = Function::start(setup, candidate).await?;
    let first = function.invoke(&event(setup, candidate)).await?;
    let (calls, cold_cpu) = (setup.services.calls(), function.process().cpu_time()?);
    for _ in 0..warm {
        let event = event(setup, candidate);
        figures.warm_ms.push(ms(function.invoke(&event).await?));
    }
    let calls = setup.services.calls() - calls;
    let cpu = function.process().cpu_time()?.saturating_sub(cold_cpu);
    figures.init_ms.push(ms(init));
    figures.first_ms.push(ms(first));
    figures.cold_ms.push(ms(init + first));
    figures.cold_cpu_ms.push(ms(cold_cpu));
    figures.cpu_us.push(ms(cpu) * 1_000.0 / f64::from(warm));
    figures.peak_mb.push(function.process().peak_mb()?);
    figures.calls = Some(f64::from(u32::try_from(calls)?) / f64::from(warm));
    function.stop().await
}

/// One start at full speed, and the first two responses with the CPU share of 128 MB, as on Lambda.
async fn with_128_mb(setup: &Setup, figures: &mut Figures, quota: &Quota) -> Result<(), Error> {
    let candidate = figures.candidate;
    let (mut function, init) = Function::start(setup, candidate).await?;
    let limited = quota.limit(function.process().id())?;
    let first = function.invoke(&event(setup, candidate)).await?;
    let second = function.invoke(&event(setup, candidate)).await?;
    figures.slow_first_ms.push(ms(first));
    figures.slow_cold_ms.push(ms(init + first));
    figures.slow_second_ms.push(ms(second));
    function.stop().await?;
    limited.lift()
}

fn event(setup: &Setup, candidate: &Candidate) -> Bytes {
    (candidate.event)(&setup.events)
}
