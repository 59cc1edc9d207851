//! The shared parts of the plain functions: the client of the tables, callers, and responses.

mod caller;
mod response;
mod tables;

pub use caller::{Member, member};
pub use response::{Failure, Reply, answer, request_id};
pub use tables::{Book, Loan, Tables, key, sdk_config};
