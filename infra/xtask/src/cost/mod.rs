//! `cargo xtask cost`: counts the use of a request of each route on the local platform. Multiplied by
//! the prices of `infra/prices.toml`, the counts make the tables of `infra/docs/COST.md`.
//!
//! The counts are kept in `infra/costs.json`, so that the tables can be checked without counting
//! again.

mod deployed;
mod document;
mod money;
mod prices;
mod tables;

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use house::counts::{COUNTS, Counts};
use house::program_of;
use tooling::process::succeeded;
use tooling::terminal::{complain, done};
use tooling::{Error, say};

use self::deployed::Deployed;
use self::document::{DOCUMENT, Document};
use self::money::Bill;
use self::prices::Prices;

const PRICES: &str = "infra/prices.toml";

/// Counts the use of requests, and writes the tables of infra/docs/COST.md.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The number of requests of each kind; more than 20 would exceed the limits on mails.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=20))]
    samples: u32,

    /// Writes the document from the stored counts, without counting again.
    #[arg(long)]
    no_measure: bool,

    /// Counts with the functions of the last build.
    #[arg(long)]
    no_build: bool,

    /// Only reports the differences between the document and the generated tables.
    #[arg(long, conflicts_with = "no_measure")]
    check: bool,
}

/// Runs the command.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> ExitCode {
    if arguments.check {
        return complain("cost", complaints(workspace));
    }
    done("cost", write(workspace, arguments))
}

fn write(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    if !arguments.no_measure {
        let mut counting = program_of("conformance");
        counting.args(["cost", "--samples", &arguments.samples.to_string()]);
        succeeded(counting.args(arguments.no_build.then_some("--no-build")))?;
    }
    let (document, tables) = (Document::read(workspace)?, tables(workspace)?);
    fs_err::write(workspace.join(DOCUMENT), document.with(&tables)?)?;
    say(&format!("{DOCUMENT} is written"));
    Ok(())
}

/// The differences between the document and counts, prices and template, and the routes without
/// counts, one sentence each.
///
/// # Errors
/// If one of the files cannot be read.
fn complaints(workspace: &Path) -> Result<Vec<String>, Error> {
    let counts = Counts::read(&workspace.join(COUNTS))?;
    let mut complaints = counts.strangers(&document::routes(workspace)?);
    let document = Document::read(workspace)?;
    complaints.extend(document.differences(&tables(workspace)?)?);
    Ok(complaints)
}

/// The generated parts of the document, by their names.
fn tables(workspace: &Path) -> Result<tables::Tables, Error> {
    let counts = Counts::read(&workspace.join(COUNTS))?;
    let prices = Prices::read(&workspace.join(PRICES))?;
    let deployed = Deployed::read(workspace)?;
    let bill = Bill { prices: &prices, deployed: &deployed, counts: &counts };
    tables::all(&bill, &document::routes(workspace)?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_agrees_with_counts_prices_and_template() {
        assert_eq!(super::complaints(house::workspace()).unwrap(), Vec::<String>::new());
    }
}
