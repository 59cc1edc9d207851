//! Requests and responses, and the front doors that they come through.

mod answer;
mod event;
mod media_type;
mod request;
mod request_id;
mod response;

pub(crate) use self::answer::Answer;
pub(crate) use self::event::{Door, EventError};
pub use self::request::Request;
pub(crate) use self::request::{bearer, title_case};
pub(crate) use self::request_id::{REQUEST_ID, request_id_of};
pub(crate) use self::response::Response;
