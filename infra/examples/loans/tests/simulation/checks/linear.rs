//! Linearizability: one order of all loans, returns and reads of a book explains their answers.

use std::collections::{BTreeMap, BTreeSet};

use simulation::evidence::{Answer, Request, Requests};
use simulation::linearizability::{Call, Model, Verdict, check};
use simulation::world::{Event, Oracle, View};

use crate::first::{COPIES, available, book_id};

/// The steps of one search. A search that needs more is a failure, too: it may hide one.
const STEPS_MAX: usize = 100_000;

#[derive(Debug, Clone, Default)]
pub(crate) struct Linear {
    requests: Requests,
    calls: Vec<Call<Step>>,
    /// The book of each loan that a member knows.
    books: BTreeMap<String, String>,
}

/// A call with its answer. A loan or a return without a definite answer has its effect or not.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Borrow { book: String, key: String, answer: Option<Borrowed> },
    Return { loan: String, is_new: Option<bool> },
    Look { book: String, available: i64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Borrowed {
    Lent,
    NoCopyLeft,
}

/// The copies of one book.
struct Shelf;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    available: i64,
    lent: BTreeSet<String>,
    returned: BTreeSet<String>,
}

impl Model for Shelf {
    type State = State;
    type Operation = Step;

    fn apply(state: &State, step: &Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::Look { available, .. } => return (state.available == *available).then_some(next),
            // A repetition is answered like the first request, however many copies are left.
            Step::Borrow { key, answer, .. } if state.lent.contains(key) => {
                return (*answer != Some(Borrowed::NoCopyLeft)).then_some(next);
            }
            Step::Borrow { answer: Some(Borrowed::NoCopyLeft), .. } => {
                return (state.available == 0).then_some(next);
            }
            Step::Borrow { .. } if state.available == 0 => return None,
            Step::Borrow { key, .. } => {
                next.available -= 1;
                next.lent.insert(key.clone());
            }
            Step::Return { loan, is_new } => {
                let returns = next.returned.insert(loan.clone());
                if is_new.is_some_and(|is_new| is_new != returns) {
                    return None;
                }
                next.available += i64::from(returns);
            }
        }
        Some(next)
    }
}

impl Oracle for Linear {
    fn name(&self) -> &str {
        "the answers about a book are linearizable"
    }

    fn observe(&mut self, event: &Event, _: &View<'_>) -> Result<(), String> {
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        let call = call(&request, Some((&answer, event.number)));
        if let (Some(Step::Borrow { book, .. }), Some(loan)) =
            (call.as_ref().map(|it| &it.operation), answer.json()["data"]["loanId"].as_str())
        {
            self.books.insert(loan.to_owned(), book.clone());
        }
        self.calls.extend(call);
        Ok(())
    }

    fn at_rest(&mut self, _: &View<'_>) -> Result<(), String> {
        self.calls.extend(self.requests.unanswered().filter_map(|request| call(request, None)));
        for index in 0..COPIES.len() {
            let book = book_id(index);
            let is_of_book = |call: &&Call<Step>| match &call.operation {
                Step::Borrow { book: it, .. } | Step::Look { book: it, .. } => *it == book,
                Step::Return { loan, .. } => match self.books.get(loan) {
                    Some(it) => *it == book,
                    None => index == crate::first::LENT_BOOK,
                },
            };
            let calls: Vec<Call<Step>> = self.calls.iter().filter(is_of_book).cloned().collect();
            let state = State {
                available: available(index),
                lent: BTreeSet::new(),
                returned: BTreeSet::new(),
            };
            let found = match check::<Shelf>(state, &calls, STEPS_MAX) {
                Verdict::Linearizable(_) => continue,
                Verdict::NotLinearizable => "no order explains".to_owned(),
                _ => format!("{STEPS_MAX} steps found no order for"),
            };
            return Err(format!("{found} the calls about book {index}: {calls:#?}"));
        }
        Ok(())
    }
}

/// The call of a request. `None` if it has no effect, and shows nothing.
fn call(request: &Request, answered: Option<(&Answer<'_>, u64)>) -> Option<Call<Step>> {
    // A request may have been performed although the answer is a 5xx or never came.
    let known = answered.filter(|(answer, _)| answer.status < 500);
    let status = known.as_ref().map(|(answer, _)| answer.status);
    let operation = if let Some(loan) = request.parts("/loans/{}") {
        let is_new = match status {
            Some(204) => Some(true),
            Some(409) => Some(false),
            None => None,
            Some(_) => return None,
        };
        Step::Return { loan: loan[0].to_owned(), is_new }
    } else if let Some(book) = request.parts("/books/{}") {
        let (answer, _) = known.as_ref().filter(|(answer, _)| answer.status == 200)?;
        let available = answer.json()["data"]["available"].as_i64()?;
        Step::Look { book: book[0].to_owned(), available }
    } else if request.is("POST", "/loans") {
        let answer = match status {
            Some(201) => Some(Borrowed::Lent),
            Some(409) if known.as_ref()?.0.body.contains("NO_COPY_LEFT") => {
                Some(Borrowed::NoCopyLeft)
            }
            None => None,
            Some(_) => return None,
        };
        let book = request.json()["bookId"].as_str()?.to_owned();
        Step::Borrow { book, key: request.header("idempotency-key")?.to_owned(), answer }
    } else {
        return None;
    };
    Some(Call { operation, begin: request.number, end: known.map(|(_, number)| number) })
}
