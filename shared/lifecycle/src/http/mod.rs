//! Requests and responses of API Gateway (HTTP API, payload format 2.0).

mod media_type;
mod request;
mod request_id;
mod response;
mod shaped;

pub use self::request::Request;
pub(crate) use self::request::{bearer, title_case};
pub(crate) use self::request_id::{REQUEST_ID, request_id_of};
pub(crate) use self::response::Response;
pub(crate) use self::shaped::{PROBLEM, own_body};
