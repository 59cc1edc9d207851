//! Expressions: conditions, filters, keys, updates and projections.

mod apply;
mod condition;
mod evaluate;
mod key_condition;
mod path;
mod placeholders;
mod projection;
mod reserved;
mod tokens;
mod update;

pub(super) use self::apply::applied;
pub(super) use self::condition::Condition;
pub(super) use self::evaluate::holds;
pub(super) use self::key_condition::{KeyCondition, SortCondition};
pub(super) use self::path::Path;
pub(super) use self::placeholders::Placeholders;
pub(super) use self::projection::{Projection, projected};
pub(super) use self::update::Update;

#[cfg(test)]
mod tests;
