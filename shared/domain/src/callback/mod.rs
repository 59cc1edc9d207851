//! Callbacks: others tell that objects were seen, and whether they are online is looked up.

mod ids;
mod object;
mod received;
mod source;

pub use ids::{ObjectId, ObjectIds};
pub use object::{Object, ObjectExpires, ObjectView};
pub use received::{CallbackDraft, CallbackReceived, Found, LookedUp};
pub use source::SourceGroup;
