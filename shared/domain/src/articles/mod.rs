//! Articles: drafted by writers, approved and published by editors, shared by links.

pub mod access;
mod article;
mod draft;
#[cfg(test)]
mod histories;
mod patch;
mod share_link;
mod writers;

pub use access::{AccessDecision, ArticleAction, Relation};
pub use article::{Article, ArticleId, ArticleStatus, ArticleView, Content, Title};
pub use draft::ArticleDraft;
pub use patch::ArticlePatch;
pub use share_link::ShareLinkView;
pub use writers::Writers;
