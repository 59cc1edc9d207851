//! Copies: each is on the shelf or in one open loan, after every write.

use simulation::evidence::{Writes, records};
use simulation::world::{Event, Oracle, View};

use super::stored::{BOOKS, Book, LOANS, Loan};

#[derive(Debug, Clone)]
pub(crate) struct Copies(Writes);

impl Copies {
    pub(crate) const NAME: &'static str = "each copy is lent once";
}

impl Default for Copies {
    fn default() -> Self {
        Self(Writes::of(&[BOOKS, LOANS]))
    }
}

impl Oracle for Copies {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        if self.0.happened(event) { balanced(view) } else { Ok(()) }
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        balanced(view)
    }
}

fn balanced(view: &View<'_>) -> Result<(), String> {
    let loans: Vec<Loan> = records(view, LOANS);
    for book in records::<Book>(view, BOOKS) {
        let is_of_book = |loan: &&Loan| loan.book_id == book.book_id && loan.is_open();
        let lent = i64::try_from(loans.iter().filter(is_of_book).count()).unwrap_or(i64::MAX);
        if book.available < 0 || book.available + lent != book.copies {
            return Err(format!("{lent} loans are open, but {book:?}"));
        }
    }
    Ok(())
}
