//! The models of single records, for [`checker`]. There are crates with such a checker, of which
//! `stateright` is the best kept: its tester is part of a model checker with an explorer and a web server,
//! it records calls while they happen, and has no calls without an answer, which may have had their
//! effect or not. Those are the interesting ones here.

mod article;

pub use simulation::linearizability as checker;

pub use self::article::{ArticleModel, Shown, Step, Taken};
