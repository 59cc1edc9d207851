//! Articles as they are stored and shown.

use std::collections::BTreeSet;

use lifecycle::record::{Key, Record, TableName};
use lifecycle::token::KeptToken;
use lifecycle::{EntityTag, Moment, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::texts::Texts;
use super::{ArticleDraft, ArticleId, ArticleStatus, Content, Title, Writers};
use crate::people::UserId;
use crate::resources::ARTICLES;

/// An article as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Article {
    /// Its id.
    pub article_id: ArticleId,
    /// The user who drafted it.
    pub author_id: UserId,
    /// Its title.
    pub title: Title,
    /// Its text.
    pub content: Content,
    /// Whether it is a draft or published.
    pub status: ArticleStatus,
    /// The users who wrote part of the present title and content. The previous version did not
    /// store them: of its articles only the author is known.
    #[serde(default)]
    pub writers: Writers,
    /// The editors who have approved the present title and content, as articles of others.
    pub approvals: BTreeSet<UserId>,
    /// The stored form of the token of its share link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_link: Option<KeptToken>,
    /// Increases with every change, approvals and share links included.
    pub version: u64,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Article {
    /// A new article of this author.
    pub fn new(moment: &Moment, author_id: UserId, draft: &ArticleDraft) -> Self {
        Self {
            article_id: draft.article_id.unwrap_or_else(|| moment.id("article").into()),
            author_id,
            title: draft.title.clone(),
            content: draft.content.clone(),
            status: draft.status(),
            writers: Writers::of(author_id),
            approvals: BTreeSet::new(),
            share_link: None,
            version: 1,
            created_at: moment.now(),
            updated_at: moment.now(),
        }
    }

    /// Whether this user is its author or wrote part of its present text.
    pub fn has_words_of(&self, person: UserId) -> bool {
        self.author_id == person || self.writers.include(person)
    }

    /// Its title and content.
    pub(super) fn texts(&self) -> Texts<'_> {
        Texts { title: &self.title, content: &self.content }
    }

    /// The number of approvals by editors who wrote no part of the present text.
    pub(super) fn approvals_of_others(&self) -> usize {
        self.approvals.iter().filter(|editor| !self.has_words_of(**editor)).count()
    }

    /// The article with this editor's approval; `None` if they have given it before.
    pub fn approved_by(mut self, editor_id: UserId, now: Timestamp) -> Option<Self> {
        self.approvals.insert(editor_id).then(|| self.changed(now))
    }

    /// The key of an article.
    pub fn key_of(article_id: ArticleId) -> Key {
        Key::new(article_id)
    }

    /// The tag of this version.
    pub fn entity_tag(&self) -> EntityTag {
        EntityTag::of_version(self.version)
    }

    /// The article as its next version.
    pub(super) fn changed(self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self }
    }
}

impl Record for Article {
    const TABLE: TableName = ARTICLES;

    fn key(&self) -> Key {
        Self::key_of(self.article_id)
    }
}

/// An article as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArticleView {
    /// Its id.
    pub article_id: ArticleId,
    /// The user who drafted it.
    pub author_id: UserId,
    /// Its title.
    pub title: Title,
    /// Its text.
    pub content: Content,
    /// Whether it is a draft or published.
    pub status: ArticleStatus,
    /// The number of editors who have approved the present title and content.
    pub approvals: usize,
    /// Increases with every change.
    pub version: u64,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl From<Article> for ArticleView {
    fn from(article: Article) -> Self {
        Self {
            article_id: article.article_id,
            author_id: article.author_id,
            title: article.title,
            content: article.content,
            status: article.status,
            approvals: article.approvals.len(),
            version: article.version,
            created_at: article.created_at,
            updated_at: article.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{ann, approved_article, article, moment};

    #[test]
    fn an_approval_counts_once_and_a_repeated_one_changes_nothing() {
        let editor = moment().id("editor").into();
        let now = moment().now().plus_seconds(60);
        let approved = article().approved_by(editor, now).unwrap();
        assert_eq!((approved.approvals.len(), approved.version), (1, 2));
        assert_eq!((approved.created_at, approved.updated_at), (article().created_at, now));
        assert_eq!(approved.approved_by(editor, now), None);
    }

    #[test]
    fn an_article_of_the_previous_version_has_only_its_author_as_a_writer() {
        let mut stored = lifecycle::record::item_of(&article());
        assert!(stored.remove("writers").is_some());
        let read: Article = serde_dynamo::from_item(stored).unwrap();
        assert!(read.has_words_of(ann().user_id));
        assert!(!read.has_words_of(moment().id("editor").into()));
    }

    #[test]
    fn the_view_counts_the_approvals_and_names_no_editor() {
        let shown = serde_json::to_value(ArticleView::from(approved_article())).unwrap();
        assert_eq!((&shown["approvals"], &shown["version"]), (&2.into(), &3.into()));
        assert_eq!(shown["authorId"], ann().user_id.to_string());
    }
}
