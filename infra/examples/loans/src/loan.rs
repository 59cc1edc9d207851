//! Loans.

use lifecycle::effects::Write;
use lifecycle::newtypes::{uuid_id, wire_enum};
use lifecycle::record::{IndexKey, Key, Record, TableName};
use lifecycle::{DomainError, Moment, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::{BY_DUE, BY_MEMBER, LOANS};
use crate::{Book, BookId, Email, Library, Member, MemberId, Title, error_codes};

uuid_id! {
    /// The id of a loan.
    LoanId
}

wire_enum! {
    /// The state of a loan.
    LoanStatus {
        /// The member has the book, and it is not overdue.
        Lent = "LENT",
        /// The member has had the book for too long.
        Overdue = "OVERDUE",
        /// The book is back.
        Returned = "RETURNED",
    }
}

/// A loan as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Loan {
    /// Its id.
    pub loan_id: LoanId,
    /// The book.
    pub book_id: BookId,
    /// The library that lends it.
    pub library: Library,
    /// The book's title.
    pub title: Title,
    /// The member who has the book.
    pub member_id: MemberId,
    /// The member's address for reminders.
    pub email: Email,
    /// When it was made.
    pub lent_at: Timestamp,
    /// When the book is due.
    pub due_at: Timestamp,
    /// Its state.
    pub status: LoanStatus,
    /// Increases with every change.
    pub version: u64,
}

impl Loan {
    /// The length of a loan: two weeks, in seconds.
    pub const LENT_FOR_S: i64 = 14 * 24 * 60 * 60;

    /// A new loan of this book.
    ///
    /// # Errors
    ///
    /// `NO_COPY_LEFT` if each copy is lent.
    pub fn new(moment: &Moment, member: &Member, book: Book) -> Result<Self, DomainError> {
        if book.available < 1 {
            return Err(error_codes::NO_COPY_LEFT.into());
        }
        Ok(Self {
            loan_id: moment.id("loan").into(),
            book_id: book.book_id,
            library: book.library,
            title: book.title,
            member_id: member.id,
            email: member.email.clone(),
            lent_at: moment.now(),
            due_at: moment.now().plus_seconds(Self::LENT_FOR_S),
            status: LoanStatus::Lent,
            version: 1,
        })
    }

    /// The key of a loan.
    pub fn key_of(loan_id: LoanId) -> Key {
        Key::new(loan_id)
    }

    /// The next version, in another state.
    #[must_use]
    pub fn becoming(self, status: LoanStatus) -> Self {
        Self { status, version: self.version + 1, ..self }
    }

    /// Stores it in place of the version before.
    pub fn replace(&self) -> Write {
        Write::replace(self, self.version - 1)
    }
}

impl Record for Loan {
    const TABLE: TableName = LOANS;

    fn key(&self) -> Key {
        Self::key_of(self.loan_id)
    }

    fn indexed(&self) -> Vec<IndexKey> {
        let Self { loan_id, member_id, lent_at, due_at, .. } = self;
        let position = format!("{lent_at}#{loan_id}");
        let by_member = IndexKey { index: BY_MEMBER, partition: member_id.to_string(), position };
        let by_due = IndexKey::sharded(BY_DUE, loan_id, format_args!("{due_at}#{loan_id}"));
        let by_due = (self.status == LoanStatus::Lent).then_some(by_due);
        [by_member].into_iter().chain(by_due).collect()
    }
}

/// A new loan, as a member asks for it.
#[derive(Debug, Clone, PartialEq, Eq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoanDraft {
    /// The book to borrow.
    pub book_id: BookId,
}

/// A loan as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoanView {
    /// Its id.
    pub loan_id: LoanId,
    /// The book.
    pub book_id: BookId,
    /// The book's title.
    pub title: Title,
    /// When it was made.
    pub lent_at: Timestamp,
    /// When the book is due.
    pub due_at: Timestamp,
    /// Its state.
    pub status: LoanStatus,
}

impl From<Loan> for LoanView {
    fn from(loan: Loan) -> Self {
        let Loan { loan_id, book_id, title, lent_at, due_at, status, .. } = loan;
        Self { loan_id, book_id, title, lent_at, due_at, status }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::loan;

    #[test]
    fn only_a_loan_that_is_neither_overdue_nor_returned_has_a_place_among_the_due_ones() {
        for (status, is_due) in
            [(LoanStatus::Lent, true), (LoanStatus::Overdue, false), (LoanStatus::Returned, false)]
        {
            let places = loan().becoming(status).indexed();
            let found = places.iter().any(|place| place.index == BY_DUE);
            assert_eq!((found, places[0].index), (is_due, BY_MEMBER), "{status:?}");
        }
    }
}
