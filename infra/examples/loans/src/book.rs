//! Books.

use lifecycle::effects::{Condition, Write};
use lifecycle::newtypes::{bounded_int, single_line, uuid_id};
use lifecycle::record::{Key, Record, TableName};
use lifecycle::{EntityTag, Moment};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Library;
use crate::resources::BOOKS;

uuid_id! {
    /// The id of a book.
    BookId
}

single_line! {
    /// The title of a book.
    Title: 1..=200
}

bounded_int! {
    /// The number of a book's copies.
    Copies: 1..=99
}

/// A book as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Book {
    /// Its id.
    pub book_id: BookId,
    /// The library that lends it.
    pub library: Library,
    /// Its title.
    pub title: Title,
    /// All copies.
    pub copies: Copies,
    /// The copies that are not lent.
    pub available: i64,
    /// Increases with every change, loans included.
    pub version: u64,
}

impl Book {
    /// A new book of this library.
    pub fn new(moment: &Moment, library: Library, draft: &BookDraft) -> Self {
        Self {
            book_id: moment.id("book").into(),
            library,
            title: draft.title.clone(),
            copies: draft.copies,
            available: draft.copies.get(),
            version: 1,
        }
    }

    /// The key of a book.
    pub fn key_of(book_id: BookId) -> Key {
        Key::new(book_id)
    }

    /// The tag of this version.
    pub fn entity_tag(&self) -> EntityTag {
        EntityTag::of_version(self.version)
    }

    /// Takes one copy, if one is left at the commit.
    pub fn take_copy(book_id: BookId) -> Write {
        Self::add_copies(book_id, -1).when(Condition::AtLeast("available", 1))
    }

    /// Returns one copy.
    pub fn return_copy(book_id: BookId) -> Write {
        Self::add_copies(book_id, 1).when(Condition::Present)
    }

    fn add_copies(book_id: BookId, count: i64) -> Write {
        Write::update::<Self>(Self::key_of(book_id)).add("available", count).add("version", 1)
    }
}

impl Record for Book {
    const TABLE: TableName = BOOKS;

    fn key(&self) -> Key {
        Self::key_of(self.book_id)
    }
}

/// A new book, as a librarian submits it.
#[derive(Debug, Clone, PartialEq, Eq, eserde::Deserialize, JsonSchema)]
pub struct BookDraft {
    /// Its title.
    pub title: Title,
    /// The number of copies.
    pub copies: Copies,
}

/// A book as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BookView {
    /// Its id.
    pub book_id: BookId,
    /// The library that lends it.
    pub library: Library,
    /// Its title.
    pub title: Title,
    /// All copies.
    pub copies: Copies,
    /// The copies that are not lent.
    pub available: i64,
}

impl From<Book> for BookView {
    fn from(book: Book) -> Self {
        let Book { book_id, library, title, copies, available, .. } = book;
        Self { book_id, library, title, copies, available }
    }
}
