//! Linearizability of single records: whether the answers of concurrent calls can be explained by one
//! order of them, in which each call has its effect at one moment between its beginning and its end.
//!
//! [`checker`] searches such an order as Wing and Gong do, with the memory of Lowe. There are crates
//! that do it, of which `stateright` is the best kept: its tester is part of a model checker with an
//! explorer and a web server, it records calls while they happen, and has no calls without an answer,
//! which may have had their effect or not. Those are the interesting ones here.

mod article;
pub mod checker;

pub use self::article::{ArticleModel, Shown, Step, Taken};
