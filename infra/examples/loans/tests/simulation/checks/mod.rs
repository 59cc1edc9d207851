//! The checks: rules of the library that hold always or at rest. They read stored items without the
//! library's types, since a mistake in a type must not hide itself.

mod copies;
mod keys;
mod linear;
mod mails;
mod states;

use serde::Deserialize;

pub(crate) use self::copies::Copies;
pub(crate) use self::keys::Keys;
pub(crate) use self::linear::Linear;
pub(crate) use self::mails::Mails;
pub(crate) use self::states::States;

const BOOKS: &str = "BooksTable";
const LOANS: &str = "LoansTable";
const LEDGER: &str = "LedgerTable";

/// A stored book.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Book {
    book_id: String,
    copies: i64,
    available: i64,
}

/// A stored loan.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Loan {
    loan_id: String,
    book_id: String,
    email: String,
    due_at: String,
    status: String,
    version: u64,
}

impl Loan {
    /// Whether the member has the book.
    fn is_open(&self) -> bool {
        self.status != "RETURNED"
    }

    /// Whether it was there at the beginning.
    fn is_first(&self) -> bool {
        (0..crate::library::DUE_MINUTES.len()).any(|it| crate::library::loan_id(it) == self.loan_id)
    }
}
