//! Articles as they are stored and shown.

use std::collections::BTreeSet;

use lifecycle::record::{Key, Record, Table};
use lifecycle::{EntityTag, Moment, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ArticleDraft, Writers};
use crate::people::UserId;
use crate::syntax::{id, line, text, words};
use crate::tables::ARTICLES;
use crate::token::KeptToken;

/// An article as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Article {
    /// Its id.
    pub article_id: ArticleId,
    /// Who wrote it.
    pub author_id: UserId,
    /// Its title.
    pub title: Title,
    /// What it says.
    pub content: Content,
    /// Whether everybody may read it.
    pub status: ArticleStatus,
    /// The people who wrote some of title and content as they are. The last version did not keep
    /// them: of what it stored only the author is known.
    #[serde(default)]
    pub writers: Writers,
    /// The editors who have approved title and content as they are, all of them words of others.
    pub approvals: BTreeSet<UserId>,
    /// What is kept of the token of its share link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_link: Option<KeptToken>,
    /// Counts up with every change, approvals and share links included.
    pub version: u64,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Article {
    /// An article as its author drafts it.
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

    /// Whether this person is its author or wrote any of its present words.
    pub fn has_words_of(&self, person: UserId) -> bool {
        self.author_id == person || self.writers.include(person)
    }

    /// How many editors have approved words that are all of others.
    pub(super) fn approvals_of_others(&self) -> usize {
        self.approvals.iter().filter(|editor| !self.has_words_of(**editor)).count()
    }

    /// The article with this editor's approval, unless they have given it before.
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

    /// The next version.
    pub(super) fn changed(self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self }
    }
}

impl Record for Article {
    const TABLE: Table = ARTICLES;

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
    /// Who wrote it.
    pub author_id: UserId,
    /// Its title.
    pub title: Title,
    /// What it says.
    pub content: Content,
    /// Whether everybody may read it.
    pub status: ArticleStatus,
    /// How many editors have approved title and content as they are.
    pub approvals: usize,
    /// Counts up with every change.
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

words! {
    /// Whether everybody may read an article.
    ArticleStatus {
        /// Its author and editors may, and who has a share link.
        Draft = "DRAFT",
        /// Everybody may.
        Published = "PUBLISHED",
    }
}

id! {
    /// The id of an article.
    ArticleId
}

line! {
    /// The title of an article.
    Title: 5..=40
}

text! {
    /// What an article says.
    Content: 1..=20_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{ann, approved_article, article, moment};

    #[test]
    fn an_approval_counts_once_and_a_repeated_one_changes_nothing() {
        let editor = moment().id("editor").into();
        let approved = article().approved_by(editor, moment().now()).unwrap();
        assert_eq!((approved.approvals.len(), approved.version), (1, 2));
        assert_eq!(approved.approved_by(editor, moment().now()), None);
    }

    #[test]
    fn an_article_of_the_last_version_is_read_and_has_words_of_its_author_alone() {
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
