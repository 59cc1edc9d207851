//! Drafts of articles.

use schemars::JsonSchema;
use serde::Serialize;

use super::{ArticleId, ArticleStatus, Content, Title};

/// A new article, as its author submits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArticleDraft {
    /// The id, if the client chooses it.
    #[serde(default)]
    pub article_id: Option<ArticleId>,
    /// Its title.
    pub title: Title,
    /// Its text.
    pub content: Content,
    /// Its status; by default a draft.
    #[serde(default)]
    pub status: Option<ArticleStatus>,
}

impl ArticleDraft {
    /// The status of the new article.
    pub fn status(&self) -> ArticleStatus {
        self.status.unwrap_or(ArticleStatus::Draft)
    }
}
