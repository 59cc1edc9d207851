//! Articles: drafted by writers, approved and published by editors, shared by links.

pub mod access;
mod article;
mod article_id;
mod draft;
#[cfg(test)]
mod histories;
mod patch;
mod share_link;
mod status;
mod texts;
mod writers;

pub use access::{AccessDecision, ArticleAction, Relation};
pub use article::{Article, ArticleView};
pub use article_id::ArticleId;
pub use draft::ArticleDraft;
pub use patch::ArticlePatch;
pub use share_link::ShareLinkView;
pub use status::ArticleStatus;
pub use texts::{Content, Title};
pub use writers::Writers;
