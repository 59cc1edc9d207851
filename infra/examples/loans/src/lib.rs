//! A lending library: its books, its loans, and its members.
//!
//! The functions are in `src/bin`, one file for each. This library has the types that several of
//! them use.

mod book;
mod claims;
pub mod error_codes;
mod events;
mod loan;
pub mod resources;

pub use book::{Book, BookDraft, BookId, BookView, Copies, Title};
pub use claims::{Email, Library, Member, MemberId, Role};
pub use events::{LibraryEvents, LoanMade, LoanOverdue};
pub use loan::{Loan, LoanDraft, LoanId, LoanStatus, LoanView};

/// Example values for the tests of the functions.
#[doc(hidden)]
pub mod examples;
