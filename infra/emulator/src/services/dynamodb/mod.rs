//! The embedded `DynamoDB`, in memory or in a file.
//!
//! A usual call of items is a call of a function in this process ([`direct`]). A call whose form is
//! unusual or malformed, and each call of another operation, goes to the embedded [`server`].

mod direct;
mod form;
mod items;
mod json;
mod kept;
mod lock;
mod private;
mod retention;
mod server;
mod tables;

pub(crate) use self::form::is_usual;
pub use self::items::ItemPage;
pub(crate) use self::json::{plain_item, plain_value, with_exact_numbers};
pub(crate) use self::lock::lock_directory;
pub(crate) use self::private::prepare as prepare_private;
pub use self::tables::StreamPosition;
pub(crate) use self::tables::Tables;
