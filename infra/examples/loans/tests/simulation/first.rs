//! The first books and loans: their numbers and ids.

/// The copies of each of the first books. The first has one, which several members want.
pub(crate) const COPIES: [i64; 3] = [1, 2, 6];

/// The first loans, all of the last book, by the minutes after the beginning at which they are due.
pub(crate) const DUE_MINUTES: [u64; 4] = [10, 25, 40, 55];

/// The book of the first loans.
pub(crate) const LENT_BOOK: usize = COPIES.len() - 1;

/// The id of one of the first books.
pub(crate) fn book_id(index: usize) -> String {
    format!("00000000-0000-4000-8000-00000000b{index:03}")
}

/// The id of one of the first loans.
pub(crate) fn loan_id(index: usize) -> String {
    format!("00000000-0000-4000-8000-00000000a{index:03}")
}

/// The copies of one of the first books that are on the shelf at the beginning.
pub(crate) fn available(index: usize) -> i64 {
    let lent = if index == LENT_BOOK { DUE_MINUTES.len() } else { 0 };
    COPIES[index] - i64::try_from(lent).expect("the loans are few")
}
