//! The error codes of the library.

lifecycle::error_codes! {
    /// Each copy of the book is lent.
    NO_COPY_LEFT: Conflict = "No copy of the book is left.";
    /// The loan is over.
    LOAN_RETURNED: Conflict = "The book has been returned.";
}
