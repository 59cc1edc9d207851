//! Changes of articles, and the rule for publishing.

use lifecycle::input::Given;
use lifecycle::{DomainError, FieldErrors, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Article, ArticleAction, ArticleStatus, Content, Title};
use crate::error_codes;
use crate::people::UserId;
use crate::rules::ApprovalsNeeded;

/// A change of an article, as a client submits it. It changes only the fields that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct ArticlePatch {
    /// Its new title.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub title: Given<Title>,
    /// Its new text.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub content: Given<Content>,
    /// Its new status.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub status: Given<ArticleStatus>,
}

impl ArticlePatch {
    /// Checks the fields together.
    ///
    /// # Errors
    ///
    /// If it has no field.
    pub fn checked(self) -> Result<Self, FieldErrors> {
        if self == Self::default() {
            return Err(FieldErrors::one("", "must have at least one field"));
        }
        Ok(self)
    }

    /// The action that this change is. A change of text and status counts as a change of the
    /// status: callers who may change the status may also edit.
    ///
    /// A status that the article has already is no change. The exception is a published article
    /// that stays published with a new text: that publishes the text.
    pub fn action_on(&self, article: &Article) -> ArticleAction {
        let wanted = self.status.or(&article.status);
        let republishes = wanted == ArticleStatus::Published && self.rewrites(article);
        let given = self.status != Given::default();
        if wanted != article.status || (given && republishes) {
            ArticleAction::ChangeStatus
        } else {
            ArticleAction::Edit
        }
    }

    /// The article after this user's change. A new title or content ends all approvals, and makes a
    /// published article a draft again.
    ///
    /// # Errors
    ///
    /// [`error_codes::APPROVALS_MISSING`] if it would be published and too few editors have approved
    /// its text.
    pub fn applied_to(
        &self,
        before: &Article,
        person: UserId,
        needed: ApprovalsNeeded,
        now: Timestamp,
    ) -> Result<Article, DomainError> {
        let mut after = Article {
            title: self.title.or(&before.title),
            content: self.content.or(&before.content),
            status: self.status.or(&self.status_unless_given(before)),
            ..before.clone().changed(now)
        };
        if self.rewrites(before) {
            after.approvals.clear();
            after.writers = before.writers.after(before.texts(), after.texts(), person);
        }
        match (before.status, after.status) {
            (ArticleStatus::Published, ArticleStatus::Published) if !self.rewrites(before) => {}
            (_, ArticleStatus::Published) => approved(&after, needed)?,
            (_, ArticleStatus::Draft) => {}
        }
        Ok(after)
    }

    /// Whether the change gives the article a new title or content.
    fn rewrites(&self, article: &Article) -> bool {
        self.title.or(&article.title) != article.title
            || self.content.or(&article.content) != article.content
    }

    /// The status of the article after a change that gives none.
    fn status_unless_given(&self, article: &Article) -> ArticleStatus {
        if self.rewrites(article) { ArticleStatus::Draft } else { article.status }
    }
}

/// Checks that enough editors who wrote no part of the article have approved it.
fn approved(article: &Article, needed: ApprovalsNeeded) -> Result<(), DomainError> {
    let (given, needed) = (article.approvals_of_others(), needed.get());
    if i64::try_from(given).is_ok_and(|given| given < needed) {
        let sentence = format!("{given} of {needed} approvals are given");
        return Err(error_codes::APPROVALS_MISSING.at("/status", sentence));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::BusinessRules;
    use crate::articles::Writers;
    use crate::examples::{approved_article, article, moment, read};

    #[test]
    fn a_patch_changes_only_the_fields_that_it_has() {
        for (field, value) in [("title", json!("A new title")), ("content", json!("Other words."))]
        {
            let article = approved_article();
            let after = apply(json!({ field: value }), &article).unwrap();
            let mut expected = serde_json::to_value(&article).unwrap();
            expected[field] = value;
            expected["approvals"] = json!([]);
            expected["version"] = json!(article.version + 1);
            expected["writers"][field] = json!([editor()]);
            assert_eq!(serde_json::to_value(after).unwrap(), expected, "{field}");
        }
    }

    #[test]
    fn a_patch_with_the_present_values_keeps_the_approvals() {
        let article = approved_article();
        let same = json!({ "title": article.title, "content": article.content });
        let after = apply(same, &article).unwrap();
        assert_eq!(after.approvals, article.approvals);
    }

    #[test]
    fn an_article_is_published_only_with_2_approvals_of_its_new_text() {
        let publish = json!({ "status": "PUBLISHED" });
        let published = apply(publish.clone(), &approved_article()).unwrap();
        assert_eq!((published.status, published.approvals.len()), (ArticleStatus::Published, 2));

        let editor = moment().id("editor").into();
        let approved_once = article().approved_by(editor, moment().now()).unwrap();
        let with_new_words = json!({ "status": "PUBLISHED", "content": "Other words." });
        for (patch, article, given) in [
            (publish.clone(), article(), 0),
            (publish, approved_once, 1),
            (with_new_words, approved_article(), 0),
        ] {
            let refused = apply(patch, &article).unwrap_err();
            assert_eq!(refused.code, "APPROVALS_MISSING");
            assert_eq!(refused.details[0].message, format!("{given} of 2 approvals are given"));
        }
    }

    #[test]
    fn a_published_article_becomes_a_draft_when_rewritten_or_unpublished() {
        let published = apply(json!({ "status": "PUBLISHED" }), &approved_article()).unwrap();
        for (patch, status, approvals) in [
            (json!({ "title": "A new title" }), ArticleStatus::Draft, 0),
            (json!({ "content": "Other words.", "status": "DRAFT" }), ArticleStatus::Draft, 0),
            (json!({ "status": "DRAFT" }), ArticleStatus::Draft, 2),
            (json!({ "status": "PUBLISHED" }), ArticleStatus::Published, 2),
            (json!({ "title": published.title }), ArticleStatus::Published, 2),
        ] {
            let after = apply(patch.clone(), &published).unwrap();
            assert_eq!((after.status, after.approvals.len()), (status, approvals), "{patch}");
        }
        let rewritten = json!({ "title": "A new title", "status": "PUBLISHED" });
        assert_eq!(apply(rewritten, &published).unwrap_err().code, "APPROVALS_MISSING");
    }

    #[test]
    fn a_published_text_stays_so_when_more_approvals_are_needed_later() {
        let published = apply(json!({ "status": "PUBLISHED" }), &approved_article()).unwrap();
        let same: ArticlePatch = read(json!({ "title": published.title, "status": "PUBLISHED" }));
        let needed = ApprovalsNeeded::try_from(3).unwrap();
        let after = same.applied_to(&published, editor(), needed, moment().now()).unwrap();
        assert_eq!(after.status, ArticleStatus::Published);
    }

    #[test]
    fn approvals_by_writers_of_the_text_do_not_count() {
        let publish = json!({ "status": "PUBLISHED" });
        // As the previous version stored it: an editor rewrote it and then approved.
        let mut by_the_writer = approved_article();
        let editor = *by_the_writer.approvals.first().unwrap();
        by_the_writer.writers = Writers::of(editor);
        let refused = apply(publish, &by_the_writer).unwrap_err();
        assert_eq!(refused.details[0].message, "1 of 2 approvals are given");
    }

    #[test]
    fn a_new_status_or_a_republished_text_is_a_change_of_the_status() {
        use ArticleAction::{ChangeStatus, Edit};
        let published = Article { status: ArticleStatus::Published, ..article() };
        for (patch, on_draft, on_published) in [
            (json!({ "status": "DRAFT" }), Edit, ChangeStatus),
            (json!({ "status": "PUBLISHED" }), ChangeStatus, Edit),
            (json!({ "title": "A new title" }), Edit, Edit),
            (json!({ "title": "A new title", "status": "PUBLISHED" }), ChangeStatus, ChangeStatus),
            (json!({ "title": article().title, "status": "PUBLISHED" }), ChangeStatus, Edit),
        ] {
            let read: ArticlePatch = read(patch.clone());
            assert_eq!(read.action_on(&article()), on_draft, "{patch}");
            assert_eq!(read.action_on(&published), on_published, "{patch}");
        }
    }

    #[test]
    fn an_empty_patch_and_a_field_set_to_null_are_field_errors() {
        assert!(read::<ArticlePatch>(json!({})).checked().is_err());
        assert!(serde_json::from_value::<ArticlePatch>(json!({ "title": null })).is_err());
    }

    fn apply(patch: Value, article: &Article) -> Result<Article, DomainError> {
        let patch: ArticlePatch = read(patch);
        let needed = BusinessRules::default().approvals_needed;
        patch.checked().unwrap().applied_to(article, editor(), needed, moment().now())
    }

    fn editor() -> UserId {
        moment().id("editor who rewrites").into()
    }
}
