//! The oracles: checks that hold always, and checks of the world at rest. Their names are those of the
//! failure tables in `ARCHITECTURE.md`.

mod access;
mod accounts;
mod answers;
mod articles;
mod callbacks;
mod calls;
mod circuits;
mod conditions;
mod credit;
mod deliveries;
mod keys;
mod limits;
mod linear;
mod mails;
mod orders;
mod outbox;
mod pages;
mod prices;
mod projection;
mod refusals;
mod secrets;
mod stock;
mod told;

use sam_template::Template;
use simulation::oracles::{DeadLetters, NoDeniedCalls};
use simulation::world::Simulation;

use self::access::Access;
use self::accounts::Accounts;
use self::answers::Answers;
use self::articles::Articles;
use self::callbacks::Callbacks;
use self::calls::Calls;
use self::circuits::Circuits;
use self::conditions::Conditions;
use self::credit::Credit;
use self::deliveries::Deliveries;
use self::keys::Keys;
use self::limits::Limits;
use self::linear::Linear;
use self::mails::Mails;
use self::orders::Orders;
pub(crate) use self::orders::numbered;
use self::outbox::Outbox;
use self::pages::Pages;
use self::prices::Prices;
use self::projection::Projection;
use self::refusals::Refusals;
use self::secrets::Secrets;
use self::stock::Stock;
use crate::workloads::POISON;

/// The names of all oracles. The last is the world's own.
pub const NAMES: [&str; 25] = [
    access::NAME,
    accounts::NAME,
    answers::NAME,
    articles::NAME,
    callbacks::NAME,
    calls::NAME,
    circuits::NAME,
    conditions::NAME,
    credit::NAME,
    DeadLetters::NAME,
    deliveries::NAME,
    keys::NAME,
    limits::NAME,
    linear::NAME,
    mails::NAME,
    NoDeniedCalls::NAME,
    orders::NAME,
    outbox::NAME,
    pages::NAME,
    prices::NAME,
    projection::NAME,
    refusals::NAME,
    secrets::NAME,
    stock::NAME,
    "the world comes to rest",
];

/// The store, watched by all oracles.
pub fn watching(store: Simulation, template: &Template) -> Simulation {
    store
        .check(Access::default())
        .check(Accounts::default())
        .check(Answers::default())
        .check(Articles::default())
        .check(Callbacks::default())
        .check(Calls)
        .check(Circuits::default())
        .check(Conditions::default())
        .check(Credit::default())
        .check(DeadLetters::of(template, POISON))
        .check(Deliveries::default())
        .check(Keys::default())
        .check(Limits::default())
        .check(Linear::default())
        .check(Mails::default())
        .check(NoDeniedCalls)
        .check(Orders::default())
        .check(Outbox::default())
        .check(Pages)
        .check(Prices::default())
        .check(Projection)
        .check(Refusals)
        .check(Secrets)
        .check(Stock::default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The rows of the failure tables in `ARCHITECTURE.md`: their last cells name an oracle or a
    /// test.
    #[test]
    fn each_row_of_the_failure_tables_names_an_oracle_or_a_test() {
        let text = include_str!("../../../ARCHITECTURE.md");
        let mut rows = 0;
        for heading in ["## Failures of a request", "## Failures behind the API"] {
            let section = text.split(heading).nth(1).expect("the section is there");
            let section = section.split("\n## ").next().unwrap_or_default();
            for row in section.lines().filter(|line| line.starts_with("| ")).skip(1) {
                let cell = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
                let names = cell.split("; ").all(|name| {
                    NAMES.contains(&name) || name.starts_with('`') || name.starts_with('[')
                });
                assert!(names, "{row}");
                rows += 1;
            }
        }
        assert!(rows > 20, "{rows}");
    }

    #[test]
    fn the_oracles_have_different_names() {
        assert_eq!(NAMES.iter().collect::<BTreeSet<_>>().len(), NAMES.len());
    }
}
