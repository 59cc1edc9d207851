//! The embedded `DynamoDB`, in memory or in a file.

mod json;
mod private;
mod tables;

pub use self::tables::StreamPosition;
pub(crate) use self::tables::Tables;
