//! What an author drafts.

use schemars::JsonSchema;
use serde::Serialize;

use super::{ArticleId, ArticleStatus, Content, Title};

/// An article as its author writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArticleDraft {
    /// The id, if the client chooses it.
    #[serde(default)]
    pub article_id: Option<ArticleId>,
    /// Its title.
    pub title: Title,
    /// What it says.
    pub content: Content,
    /// The state it is to be in; a draft unless said otherwise.
    #[serde(default)]
    pub status: Option<ArticleStatus>,
}

impl ArticleDraft {
    /// The state it is to be in.
    pub fn status(&self) -> ArticleStatus {
        self.status.unwrap_or(ArticleStatus::Draft)
    }
}
