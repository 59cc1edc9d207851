//! Some attributes of a record, for a decision that does not need all.

use serde::de::DeserializeOwned;
use serde_dynamo::Item;

use super::Record;

/// The attributes of a record that a decision needs. They are read, and never written.
///
/// The price of a read is the same as for the whole record. An excerpt saves the transfer and the
/// reading of the other attributes, and the function never holds them: the hash of a password, for
/// example.
///
/// ```
/// # use lifecycle::record::{Excerpt, Key, Record, TableName, item_of};
/// # use serde::{Deserialize, Serialize};
/// # const BOOKS: TableName = TableName::new("books");
/// #[derive(Serialize, Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct Book {
///     isbn: String,
///     copy_count: u32,
///     summary: String,
/// }
/// # impl Record for Book {
/// #     const TABLE: TableName = BOOKS;
/// #     fn key(&self) -> Key { Key::new(&self.isbn) }
/// # }
///
/// #[derive(Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct Copies {
///     copy_count: u32,
/// }
///
/// impl Excerpt for Copies {
///     type Of = Book;
///     const ATTRIBUTES: &'static [&'static str] = &["copyCount"];
/// }
///
/// let book = Book { isbn: "1".into(), copy_count: 3, summary: "Long.".into() };
/// assert_eq!(Copies::of_item(item_of(&book)).unwrap().copy_count, 3);
/// ```
pub trait Excerpt: DeserializeOwned + Send + Sync {
    /// The record.
    type Of: Record;

    /// The names of the attributes, as they are stored: one for each field, and one for each other
    /// name by which a field is still read.
    const ATTRIBUTES: &'static [&'static str];

    /// Reads the excerpt from an item, with the limits with which the record is read.
    ///
    /// # Errors
    ///
    /// When the item lacks an attribute, or one of them has another shape.
    fn of_item(item: Item) -> Result<Self, serde_dynamo::Error> {
        if Self::Of::CHECKED_ON_LOADING {
            return serde_dynamo::from_item(item);
        }
        crate::stored::reading(|| serde_dynamo::from_item(item))
    }
}
