//! The rules of HTTP and of the API that hold for every endpoint.

mod bodies;
mod conditions;
mod document;
pub(crate) mod events;
mod heads;
mod keys;
mod limits;
mod pages;
mod recorded;
mod refusals;
mod walk;
