//! Callbacks: clients report objects, and the object service is asked whether they are online.

mod ids;
mod object;
mod received;
mod source;
mod view;

pub use ids::{ObjectId, ObjectIds};
pub use object::{Object, ObjectExpires, ObjectView};
pub use received::{CallbackDraft, CallbackReceived, Found, LookedUp};
pub use source::SourceGroup;
pub use view::CallbackView;
