//! Idempotency keys: one effect for each, and each loan has its key.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use simulation::evidence::records;
use simulation::oracles::OneEffectPerKey;
use simulation::world::{Event, Oracle, View};

use super::stored::{LEDGER, LOANS, Loan};

/// The library's own check of stored loans, with the check of answers that any service has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys(OneEffectPerKey);

/// A record of the ledger.
#[derive(Clone, Deserialize)]
struct Stored {
    pk: String,
    #[serde(default)]
    body: Option<String>,
}

impl Oracle for Keys {
    fn name(&self) -> &str {
        OneEffectPerKey::NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        self.0.observe(event, view)
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        let mut answers: BTreeMap<String, usize> = BTreeMap::new();
        let keys = records::<Stored>(view, LEDGER).into_iter();
        for stored in keys.filter(|stored| stored.pk.starts_with("idempotency#")) {
            let body: Value =
                serde_json::from_str(&stored.body.unwrap_or_default()).unwrap_or_default();
            if let Some(loan_id) = body["data"]["loanId"].as_str() {
                *answers.entry(loan_id.to_owned()).or_default() += 1;
            }
        }
        let loans: Vec<Loan> = records(view, LOANS);
        for loan in loans.iter().filter(|loan| !loan.is_first()) {
            let count = answers.get(&loan.loan_id).copied().unwrap_or_default();
            if count != 1 {
                return Err(format!("{loan:?} has {count} stored answers"));
            }
        }
        let of_loans = self.0.answers().filter(|(scope, _)| scope.route == "POST /loans");
        for (scope, answered) in of_loans {
            let loan_id = answered.answer["data"]["loanId"].as_str().unwrap_or_default();
            if !loans.iter().any(|loan| loan.loan_id == loan_id) {
                return Err(format!("{scope:?} was answered by {loan_id}, which is not stored"));
            }
        }
        Ok(())
    }
}
