//! The targets, by the receiver of the bytes.

mod authorizer;
mod batch;
mod body;
mod event;
mod item;
mod jwks;
mod list;
mod secret;
mod service;
mod setting;
mod template;
mod token;
mod upstream;

use crate::Target;

pub use self::authorizer::AUTHORIZER;
pub use self::batch::BATCH;
pub use self::body::{BODY, described_and_covered};
pub use self::event::EVENT;
pub use self::item::ITEM;
pub use self::jwks::JWKS;
pub use self::list::LIST;
pub use self::secret::SECRET;
pub use self::service::SERVICE;
pub use self::setting::SETTING;
pub use self::template::TEMPLATE;
pub use self::token::TOKEN;
pub use self::upstream::UPSTREAM;

/// All of them.
pub const ALL: [&Target; 13] = [
    &AUTHORIZER,
    &BATCH,
    &BODY,
    &EVENT,
    &ITEM,
    &JWKS,
    &LIST,
    &SECRET,
    &SERVICE,
    &SETTING,
    &TEMPLATE,
    &TOKEN,
    &UPSTREAM,
];
