//! A bounded memory of typed records of the platform's events, and the views of them.
//!
//! The platform's parts record facts: the gateway ([`gateway`]), the functions ([`functions`]), the
//! services ([`services`]) and the event sources ([`sources`]). A function that uses the lifecycle
//! adds its own by a socket ([`inspector`]). An event takes one short lock and keeps bodies as they
//! are. They are parsed only when a view is built ([`build`]). Log lines are kept as lines and never
//! read for facts.
//!
//! Memory is bounded by [`limits`]: the oldest detail is dropped first, then the oldest rows.

mod build;
mod cause;
mod compact;
mod functions;
mod gateway;
mod handle;
mod inspector;
mod limits;
mod listener;
mod record;
pub mod redaction;
mod reported;
mod sent;
mod services;
mod snapshot;
mod sources;
mod store;
#[cfg(test)]
mod tests;
#[expect(missing_docs, reason = "most members are explained by the name that they have in JSON")]
pub mod view;

pub(crate) use self::build::key_text;
pub use self::cause::{Cause, StreamItem};
pub(crate) use self::gateway::{Authorization, Begun};
pub use self::handle::Activity;
pub(crate) use self::inspector::Inspector;
pub use self::listener::Listener;
pub(crate) use self::record::{Accesses, KeyOfWrite};
pub(crate) use self::services::{CallEnd, CallStart, OpenCall, SentBecause};
pub use self::snapshot::RunningRequest;
pub(crate) use self::sources::{Retry, TableReader, UpstreamCall};
pub use self::store::Change;
pub use self::view::{
    InvocationDetail, ItemWrite, Journey, MessageOrigin, OriginalRequest, RequestDetail,
    RequestFilter, RequestPage, RequestRow, Sample,
};
