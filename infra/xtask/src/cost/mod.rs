//! `cargo xtask cost`: counts the use of a request of each route on the local platform. Multiplied by
//! the prices of `infra/prices.toml`, the counts make the tables of `infra/docs/COST.md`.
//!
//! The counts are kept in `infra/costs.json`, so that the tables can be checked without counting
//! again.

mod counts;
mod deployed;
mod document;
mod measure;
mod money;
mod prices;
mod tables;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use self::counts::Counts;
use self::deployed::Deployed;
use self::document::Document;
use self::money::Bill;
use self::prices::Prices;
use crate::descriptions::Error;
use crate::{arguments, complain, done, say};

const COUNTS: &str = "infra/costs.json";
const PRICES: &str = "infra/prices.toml";
const DOCUMENT: &str = "infra/docs/COST.md";

/// Counts the use of requests, and writes the tables of infra/docs/COST.md.
#[derive(Parser)]
#[command(name = "cargo xtask cost")]
struct Arguments {
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

/// Runs the command with the arguments after `cost`.
pub(crate) fn run(workspace: &Path, given: &[String]) -> ExitCode {
    let arguments: Arguments = match arguments(given) {
        Ok(arguments) => arguments,
        Err(end) => return end,
    };
    if arguments.check {
        return complain("cost", complaints(workspace));
    }
    done("cost", write(workspace, &arguments))
}

fn write(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    if !arguments.no_measure {
        let before = Counts::read(&workspace.join(COUNTS));
        let counts = measure::run(workspace, arguments.samples, !arguments.no_build)?;
        for change in before.map(|before| counts.changes(&before)).unwrap_or_default() {
            say(&change);
        }
        counts.write(&workspace.join(COUNTS))?;
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
pub(crate) fn complaints(workspace: &Path) -> Result<Vec<String>, Error> {
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
        assert_eq!(super::complaints(crate::workspace()).unwrap(), Vec::<String>::new());
    }
}
