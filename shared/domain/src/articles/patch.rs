//! What is changed of an article, and when it may be published.

use lifecycle::input::Given;
use lifecycle::{Rejection, Timestamp, Violations};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Action, Article, ArticleStatus, Content, Title};
use crate::refusals;
use crate::rules::ApprovalsNeeded;

/// A change of an article as a client writes it: the fields that it gives, and no others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct ArticlePatch {
    /// Its new title.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub title: Given<Title>,
    /// What it says from now on.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub content: Given<Content>,
    /// The state it is to be in.
    #[serde(default, skip_serializing_if = "Given::is_absent")]
    pub status: Given<ArticleStatus>,
}

impl ArticlePatch {
    /// Checks what no field can know by itself.
    ///
    /// # Errors
    ///
    /// When there is nothing to change.
    pub fn checked(self) -> Result<Self, Violations> {
        if self == Self::default() {
            return Err(Violations::one("", "must have at least one field"));
        }
        Ok(self)
    }

    /// What is done to the article. A status that it has already is no change of it; and whoever
    /// may change the status may edit, so that a change of both is one of the status.
    pub fn action_on(&self, article: &Article) -> Action {
        if self.status.or(&article.status) == article.status {
            Action::Edit
        } else {
            Action::ChangeStatus
        }
    }

    /// The article as it is after the change. Approvals are of title and content as they were,
    /// and do not outlive them; the status stays unless it is given.
    ///
    /// # Errors
    ///
    /// [`refusals::APPROVALS_MISSING`] when it is to be published and too few editors have approved
    /// what would then be read.
    pub fn applied_to(
        &self,
        before: &Article,
        needed: ApprovalsNeeded,
        now: Timestamp,
    ) -> Result<Article, Rejection> {
        let mut after = Article {
            title: self.title.or(&before.title),
            content: self.content.or(&before.content),
            status: self.status.or(&before.status),
            ..before.clone().changed(now)
        };
        if (&after.title, &after.content) != (&before.title, &before.content) {
            after.approvals.clear();
        }
        match (before.status, after.status) {
            (ArticleStatus::Draft, ArticleStatus::Published) => approved(&after, needed)?,
            (ArticleStatus::Draft, ArticleStatus::Draft) | (ArticleStatus::Published, _) => {}
        }
        Ok(after)
    }
}

/// Whether enough editors have approved the article.
fn approved(article: &Article, needed: ApprovalsNeeded) -> Result<(), Rejection> {
    let (given, needed) = (article.approvals.len(), needed.get());
    if i64::try_from(given).is_ok_and(|given| given < needed) {
        let sentence = format!("{given} of {needed} approvals are given");
        return Err(refusals::APPROVALS_MISSING.at("/status", sentence));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Rules;
    use crate::examples::{approved_article, article, moment, read};

    #[test]
    fn a_patch_changes_what_it_gives_and_nothing_else() {
        for (field, value) in [("title", json!("A new title")), ("content", json!("Other words."))]
        {
            let article = approved_article();
            let after = apply(json!({ field: value }), &article).unwrap();
            let mut expected = serde_json::to_value(&article).unwrap();
            expected[field] = value;
            expected["approvals"] = json!([]);
            expected["version"] = json!(article.version + 1);
            assert_eq!(serde_json::to_value(after).unwrap(), expected, "{field}");
        }
    }

    #[test]
    fn giving_what_is_there_keeps_the_approvals() {
        let article = approved_article();
        let same = json!({ "title": article.title, "content": article.content });
        let after = apply(same, &article).unwrap();
        assert_eq!(after.approvals, article.approvals);
    }

    #[test]
    fn an_article_is_published_once_enough_editors_have_approved_what_will_be_read() {
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
    fn a_published_article_stays_published_when_it_is_edited_and_can_be_a_draft_again() {
        let published = apply(json!({ "status": "PUBLISHED" }), &approved_article()).unwrap();
        let edited = apply(json!({ "title": "A new title" }), &published).unwrap();
        assert_eq!((edited.status, edited.approvals.len()), (ArticleStatus::Published, 0));
        let same = apply(json!({ "status": "PUBLISHED" }), &edited).unwrap();
        assert_eq!(same.status, ArticleStatus::Published);
        let draft = apply(json!({ "status": "DRAFT" }), &same).unwrap();
        assert_eq!(draft.status, ArticleStatus::Draft);
        assert!(apply(json!({ "status": "PUBLISHED" }), &draft).is_err());
    }

    #[test]
    fn only_another_status_is_a_change_of_the_status() {
        for (patch, action) in [
            (json!({ "status": "DRAFT" }), Action::Edit),
            (json!({ "title": "A new title" }), Action::Edit),
            (json!({ "title": "A new title", "status": "PUBLISHED" }), Action::ChangeStatus),
        ] {
            let read: ArticlePatch = read(patch.clone());
            assert_eq!(read.action_on(&article()), action, "{patch}");
        }
    }

    #[test]
    fn a_patch_of_nothing_and_one_that_removes_are_violations() {
        assert!(read::<ArticlePatch>(json!({})).checked().is_err());
        assert!(serde_json::from_value::<ArticlePatch>(json!({ "title": null })).is_err());
    }

    fn apply(patch: Value, article: &Article) -> Result<Article, Rejection> {
        let patch: ArticlePatch = read(patch);
        let needed = Rules::default().approvals_needed;
        patch.checked().unwrap().applied_to(article, needed, moment().now())
    }
}
