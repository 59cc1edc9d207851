//! Tables: reads, writes, transactions and counters.

mod attempts;
pub(crate) mod audit_log;
pub(crate) mod batch_get;
pub(crate) mod commit;
mod count;
mod cursors;
pub(crate) mod excerpts;
pub(crate) mod expressions;
mod get_many;
mod impossible_writes;
mod key_limits;
pub(crate) mod pages;
pub(crate) mod query;
pub(crate) mod range;
mod read;
pub(crate) mod sequence;
pub(crate) mod setting;
pub(crate) mod table;
pub(crate) mod wanted_keys;
