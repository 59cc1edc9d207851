//! Endpoints: the nine stages of a request, and its response.

mod handler;
mod meter;
mod parse;
mod request_log;
mod stages;

pub(super) use self::stages::Handler;
