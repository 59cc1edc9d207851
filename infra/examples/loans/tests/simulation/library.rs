//! The library in a simulated world: its template and functions, the issuer of tokens, its first books and
//! loans, its people, and the checks.

use std::collections::BTreeMap;

use lifecycle::record::item_of;
use loans::{Book, Loan};
use serde_json::{Value, json};
use simulation::oracles::{DeadLetters, NoDeniedCalls, NoInternalErrors};
use simulation::world::{BEGINNING, FaultMix, Simulation};
use simulation::{Millis, Template};

use crate::checks::{Copies, Keys, Linear, Mails, States};
use crate::first::{COPIES, DUE_MINUTES, LENT_BOOK, available, book_id, loan_id};
use crate::functions::MAINS;
use crate::people::{self, POISON};
use crate::visits::Visits;

const TEMPLATE: &str = include_str!("../../template.yaml");

/// The library under these faults, with these visits.
pub(crate) fn library(seed: u64, visits: Visits, faults: FaultMix) -> Simulation {
    let template = Template::parse(TEMPLATE, &BTreeMap::new()).expect("the template is valid");
    let library = Simulation::new(seed)
        .template(&template)
        .functions(&MAINS)
        .host("id.example.com", people::published_keys)
        .faults(faults)
        .settle(visits.settle(), Millis::hours(6));
    let library = (0..COPIES.len()).fold(library, |it, index| it.item("BooksTable", book(index)));
    let library =
        (0..DUE_MINUTES.len()).fold(library, |it, index| it.item("LoansTable", loan(index)));
    library
        .workload(visits)
        .check(Copies::default())
        .check(States::default())
        .check(Keys::default())
        .check(Linear::default())
        .check(Mails::default())
        .check(NoDeniedCalls)
        .check(NoInternalErrors::default())
        .check(DeadLetters::of(&template, POISON))
}

fn book(index: usize) -> Value {
    let book = json!({
        "bookId": book_id(index), "library": people::LIBRARY, "title": format!("Book {index}"),
        "copies": COPIES[index], "available": available(index), "version": 1,
    });
    let book: Book = serde_json::from_value(book).expect("the book is valid");
    json!(item_of(&book))
}

/// A loan of two weeks, which a member of another time made.
fn loan(index: usize) -> Value {
    let due_ms = BEGINNING.0 + DUE_MINUTES[index] * 60_000;
    let due_ms = i64::try_from(due_ms).expect("a time of this millennium");
    let due_at = lifecycle::Timestamp::from_millis(due_ms);
    let loan = json!({
        "loanId": loan_id(index), "bookId": book_id(LENT_BOOK), "library": people::LIBRARY,
        "title": format!("Book {LENT_BOOK}"),
        "memberId": "00000000-0000-4000-8000-00000000c000", "email": "earlier@example.com",
        "lentAt": due_at.plus_seconds(-Loan::LENT_FOR_S), "dueAt": due_at,
        "status": "LENT", "version": 1,
    });
    let loan: Loan = serde_json::from_value(loan).expect("the loan is valid");
    json!(item_of(&loan))
}
