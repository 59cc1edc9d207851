//! States: a loan is lent, may become overdue, and ends when it is returned.

use std::collections::BTreeMap;

use simulation::Millis;
use simulation::evidence::{Writes, records};
use simulation::world::{BEGINNING, Event, Oracle, View};

use super::stored::{LOANS, Loan};

#[derive(Debug, Clone)]
pub(crate) struct States {
    writes: Writes,
    known: BTreeMap<String, Loan>,
}

impl Default for States {
    fn default() -> Self {
        Self { writes: Writes::of(&[LOANS]), known: BTreeMap::new() }
    }
}

impl Oracle for States {
    fn name(&self) -> &str {
        "a loan ends once, and an overdue one is marked"
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        if self.writes.happened(event) { self.changed(records(view, LOANS)) } else { Ok(()) }
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        // The first loans are due within an hour, and are marked in the next; the others are due in two
        // weeks.
        if view.now().since(BEGINNING) < Millis::hours(2) {
            return Ok(());
        }
        let loans: Vec<Loan> = records(view, LOANS);
        let late = loans.iter().find(|loan| loan.is_first() && loan.status == "LENT");
        late.map_or(Ok(()), |loan| Err(format!("it is overdue, and not marked: {loan:?}")))
    }
}

impl States {
    fn changed(&mut self, loans: Vec<Loan>) -> Result<(), String> {
        for loan in loans {
            let before = self.known.insert(loan.loan_id.clone(), loan.clone());
            let (status, version) = before.map_or((None, 0), |it| (Some(it.status), it.version));
            if version == loan.version {
                continue;
            }
            let is_right = match (status.as_deref(), loan.status.as_str()) {
                (None, "LENT") => loan.version == 1,
                // The first loans are seen late.
                (None, _) => loan.is_first(),
                (Some("LENT"), "OVERDUE") => loan.is_first(),
                (Some("LENT" | "OVERDUE"), "RETURNED") => true,
                _ => false,
            };
            if !is_right || (version > 0 && loan.version != version + 1) {
                return Err(format!("{status:?} in version {version} became {loan:?}"));
            }
        }
        Ok(())
    }
}
