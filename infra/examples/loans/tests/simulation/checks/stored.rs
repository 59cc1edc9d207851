//! Stored items.

use serde::Deserialize;

use crate::first::{DUE_MINUTES, loan_id};

pub(super) const BOOKS: &str = "BooksTable";
pub(super) const LOANS: &str = "LoansTable";
pub(super) const LEDGER: &str = "LedgerTable";

/// A stored book.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Book {
    pub(super) book_id: String,
    pub(super) copies: i64,
    pub(super) available: i64,
}

/// A stored loan.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Loan {
    pub(super) loan_id: String,
    pub(super) book_id: String,
    pub(super) email: String,
    pub(super) due_at: String,
    pub(super) status: String,
    pub(super) version: u64,
}

impl Loan {
    /// Whether the member has the book.
    pub(super) fn is_open(&self) -> bool {
        self.status != "RETURNED"
    }

    /// Whether it was there at the beginning.
    pub(super) fn is_first(&self) -> bool {
        (0..DUE_MINUTES.len()).any(|it| loan_id(it) == self.loan_id)
    }
}
