//! The embedded `DynamoDB`, in memory or in a file.

mod items;
mod json;
mod kept;
mod lock;
mod private;
mod tables;

pub use self::items::ItemPage;
pub(crate) use self::json::{plain_item, plain_value};
pub(crate) use self::lock::lock_directory;
pub(crate) use self::private::prepare as prepare_private;
pub use self::tables::StreamPosition;
pub(crate) use self::tables::Tables;
