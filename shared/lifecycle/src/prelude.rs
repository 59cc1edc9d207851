//! The names that the functions share: `use lifecycle::prelude::*`.
//!
//! The traits [`Endpoint`](crate::Endpoint), [`Query`](crate::Query) and
//! [`Consumer`](crate::Consumer) are not among them. A query is an endpoint too, so with both
//! traits in scope `GetUser::ROUTE` would be ambiguous. Each file names the trait that it
//! implements.

pub use std::process::ExitCode;

pub use crate::caller::{Access, Anyone, NoRole, Permit, Verdict};
pub use crate::conditions::Conditions;
pub use crate::consumer::{DeliveredMessage, Inbox, Schedule, ScheduledRun, Source};
pub use crate::effects::{Effects, Event, Message, Write};
pub use crate::endpoint::Allow;
pub use crate::envelope::Envelope;
pub use crate::error::{DomainError, ErrorCode, FieldErrors, RetrieveError, Retrieved};
pub use crate::idempotency::Idempotency;
pub use crate::input::{Headers, Json, Path, QueryString};
pub use crate::limit::{Limit, MINUTE, SubjectLimit};
pub use crate::moment::Moment;
pub use crate::paging::{NewestFirst, PageQuery, PageRequest};
pub use crate::reply;
pub use crate::reply::{Bare, Page};
pub use crate::resource::Action::{
    BatchGetItem, ConditionCheckItem, DeleteItem, GetItem, PutItem, UpdateItem,
};
pub use crate::resource::{Resource, Resources};
pub use crate::route::Route;
