//! `cargo xtask bench growth`: the cost of reads and consumers as tables grow.
//!
//! Each function gets the same work on tables of several sizes: the same units and calls are
//! expected, and hardly more time. The tables are embedded in this process; a function calls them as
//! it calls DynamoDB.

mod report;
mod rows;
mod tables;
mod work;

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use tooling::{Error, say};

use self::report::Row;
use self::tables::Tables;
use self::work::Work;
use super::binaries::{self, Binaries};
use super::figures::{median, ms};
use super::function::Function;
use super::setup::Setup;

/// The profile of the functions: their own time is a small part, and the same at each size.
const PROFILE: &str = "tool";
/// Invocations before the measurement.
const WARM_UP: u32 = 5;
/// The smallest number of rows that each size adds: more than invocations, which use one each.
const ROWS_MIN: u32 = 1_000;

#[derive(Args)]
pub(super) struct Arguments {
    /// The numbers of rows, in ascending order. A million needs 3 GB of memory.
    #[arg(long, value_delimiter = ',', default_value = "1000,100000,1000000",
          value_parser = clap::value_parser!(u32).range(1_000..=2_000_000))]
    rows: Vec<u32>,

    /// The number of measured invocations at each size.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=400))]
    invocations: u32,

    /// Measures the binaries as last built.
    #[arg(long)]
    no_build: bool,
}

pub(super) async fn run(workspace: &Path, arguments: &Arguments) -> Result<ExitCode, Error> {
    if !arguments.rows.is_sorted_by(|fewer, more| *fewer + ROWS_MIN <= *more) {
        return Err(format!("--rows needs ascending numbers, each by {ROWS_MIN} at least").into());
    }
    if !arguments.no_build {
        let programs = Work::ALL.iter().flat_map(|work| ["--bin", work.candidate().binary]);
        let names: Vec<_> = ["--package", "functions"].into_iter().chain(programs).collect();
        binaries::build(workspace, PROFILE, &names)?;
    }
    let mut setup = Setup::new(Binaries::of(workspace, PROFILE)?, workspace).await?;
    let mut measured = Vec::new();
    for work in Work::ALL {
        // Each work has its own tables, so that only one is large at a time.
        let tables = Tables::start().await?;
        tables.import(rows::named()?)?;
        setup.set(tables.variables());
        let mut filled = 0;
        for &rows in &arguments.rows {
            tables.fill(work, filled..rows)?;
            measured.push(measure(&setup, &tables, work, filled..rows, arguments).await?);
            filled = rows;
        }
    }
    say(&report::table(&measured));
    let complaints = report::complaints(&measured);
    for complaint in &complaints {
        say(complaint);
    }
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures one work on tables that have just got the rows with these numbers.
async fn measure(
    setup: &Setup,
    tables: &Tables,
    work: Work,
    added: std::ops::Range<u32>,
    arguments: &Arguments,
) -> Result<Row, Error> {
    let count = WARM_UP + arguments.invocations;
    let (mut function, _) = Function::start(setup, work.candidate()).await?;
    let cursor = match work.first_page(&setup.events) {
        None => None,
        Some(event) => Some(work::cursor_of(&function.ask(&event).await?.0)?),
    };
    let (mut times_ms, mut used) = (Vec::new(), tables::Used::default());
    for number in 0..count {
        // Spread over the new rows, so that each is used once.
        let row = added.start + (added.end - added.start) / count * number;
        tables.import(work.waiting(row, number)?)?;
        let event = work.event(&setup.events, row, number, cursor.as_deref())?;
        let before = tables.used();
        let took = function.invoke(&event).await?;
        let used_now = tables.used() - before;
        if work.writes() && used_now.write_units <= 0.0 {
            return Err(format!("{}: an invocation has written nothing", work.name()).into());
        }
        if number >= WARM_UP {
            times_ms.push(ms(took));
            used = used + used_now;
        }
    }
    function.stop().await?;
    let per_invocation = used.divided_by(arguments.invocations);
    Ok(Row {
        work: work.name(),
        rows: added.end,
        used: per_invocation,
        ms: median(&times_ms).unwrap_or_default(),
    })
}
