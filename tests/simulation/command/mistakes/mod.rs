//! `simulate mistakes`: builds a copy of the workspace that has each mistake of
//! `tests/simulation/mistakes` behind a switch, and looks how many seeds the oracles need to find it.

mod copy;
mod mistake;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use tooling::{Error, say};

use self::copy::{Found, Seeds, SwitchedCopy};
use self::mistake::{Mistake, mistakes};

/// Looks whether the oracles find seeded mistakes. One build has all of them behind switches, and
/// finds nothing while none is on.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only the mistakes whose names have one of these texts.
    names: Vec<String>,
    /// The most seeds for one mistake.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The seeds of the run without a mistake.
    #[arg(long, default_value_t = 10)]
    without: u64,
    /// The orders of each seed.
    #[arg(long, default_value_t = 30)]
    orders: usize,
    /// The mistakes that are tried at a time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

/// Builds the copy, runs it without a mistake, and then with each.
///
/// # Errors
/// If a mistake is not found or cannot be made, or if something is found without one.
pub(super) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let all = mistakes(workspace)?;
    let copy = SwitchedCopy::of(workspace)?;
    copy.make(workspace, &all)?;
    let began = Instant::now();
    let Arguments { orders, jobs, .. } = *arguments;
    let seeds = |count, jobs| Seeds { count, orders, jobs };
    if let Some(Found { seed, oracles }) = copy.run(None, seeds(arguments.without, jobs))? {
        let oracles = oracles.join(", ");
        return Err(format!("seed {seed} fails without a mistake: {oracles}").into());
    }
    say(&format!("{} seeds found nothing without a mistake", arguments.without));
    let is_wanted = |mistake: &&Mistake| {
        let names = &arguments.names;
        names.is_empty() || names.iter().any(|name| mistake.name.contains(name))
    };
    let wanted: Vec<&Mistake> = all.iter().filter(is_wanted).collect();
    let missed = missed(&wanted, jobs, |mistake| {
        let found = copy.run(Some(&mistake.name), seeds(arguments.seeds, 1))?;
        say(&told(mistake, found.as_ref()));
        Ok(found.is_none())
    })?;
    let (count, seconds) = (wanted.len(), began.elapsed().as_secs());
    say(&format!("{count} mistakes, {} missed, in {seconds} s", missed.len()));
    if missed.is_empty() { Ok(()) } else { Err(format!("missed: {}", missed.join(", ")).into()) }
}

/// The names of the mistakes that are missed. Several are tried at a time.
fn missed<'a>(
    mistakes: &[&'a Mistake],
    jobs: usize,
    is_missed: impl Fn(&Mistake) -> Result<bool, Error> + Sync,
) -> Result<Vec<&'a str>, Error> {
    let next = AtomicUsize::new(0);
    let missed = Mutex::new(Ok(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(mistake) = mistakes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let tried = is_missed(mistake);
                    let mut missed = missed.lock().unwrap_or_else(PoisonError::into_inner);
                    match (tried, &mut *missed) {
                        (Ok(true), Ok(names)) => names.push(mistake.name.as_str()),
                        (Err(error), _) => {
                            *missed = Err(error);
                            next.store(mistakes.len(), Ordering::Relaxed);
                        }
                        _ => {}
                    }
                }
            });
        }
    });
    missed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The line about a mistake.
fn told(mistake: &Mistake, found: Option<&Found>) -> String {
    let Mistake { name, about, oracles, .. } = mistake;
    let Some(Found { seed, oracles: finders }) = found else {
        return format!("missed: {name}: {about}");
    };
    if let Some(finder) = finders.iter().find(|finder| oracles.contains(finder)) {
        return format!("found in seed {seed}: {name}: {about} ({finder})");
    }
    let finders = finders.join(", ");
    format!("found in seed {seed} by another oracle: {name}: {about} ({finders})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_mistake_is_named_and_an_error_ends_the_search() {
        let all = mistakes(house::workspace()).unwrap();
        let two: Vec<&Mistake> = all.iter().take(2).collect();
        let missed_one = missed(&two, 2, |mistake| Ok(mistake.name == two[1].name)).unwrap();
        assert_eq!(missed_one, [two[1].name.as_str()]);
        missed(&two, 2, |_| Err("no program".into())).unwrap_err();
    }

    #[test]
    fn the_line_of_a_mistake_has_the_seed_and_an_oracle_of_its_list() {
        let all = mistakes(house::workspace()).unwrap();
        let mistake = &all[0];
        let found = |oracle: &str| Found { seed: 7, oracles: vec![oracle.to_owned()] };
        let line = told(mistake, Some(&found(&mistake.oracles[0])));
        assert!(line.starts_with("found in seed 7: "), "{line}");
        let line = told(mistake, Some(&found("another")));
        assert!(line.starts_with("found in seed 7 by another oracle: "), "{line}");
        assert!(told(mistake, None).starts_with("missed: "));
    }
}
