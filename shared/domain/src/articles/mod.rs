//! Articles: drafted by writers, approved and published by editors, shared by links.

pub mod access;
mod article;
mod draft;
#[cfg(test)]
mod histories;
mod patch;

pub use access::{Action, Answer, Relation};
pub use article::{Article, ArticleId, ArticleStatus, ArticleView, Content, Title};
pub use draft::ArticleDraft;
pub use patch::ArticlePatch;
