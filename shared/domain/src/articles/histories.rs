//! In any order of attempts, no text is published without enough approvals by editors who did not
//! write it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{AccessDecision, Article, ArticleAction, ArticlePatch, ArticleStatus};
use crate::BusinessRules;
use crate::examples::{article, moment, read, signed_in};
use crate::people::{Role, SignedIn, UserId};

proptest! {
    #[test]
    fn no_article_is_published_without_enough_approvals_by_others(
        author_is_editor: bool,
        tries in prop::collection::vec(tries(), 1..60),
    ) {
        let author = person(0, if author_is_editor { Role::Editor } else { Role::Writer });
        let mut article = Article { author_id: author.user_id, ..article() };
        // Who has approved the present title and content, and who wrote each of them.
        let mut approvers = BTreeSet::new();
        let (mut title_by, mut content_by) = (author.user_id, author.user_id);
        for (who, wanted) in tries {
            let caller = if who == 0 { author.clone() } else { someone(who) };
            let before = article.clone();
            article = attempt(&caller, &wanted, article);
            let rewritten = (&article.title, &article.content) != (&before.title, &before.content);
            if article.title != before.title {
                title_by = caller.user_id;
            }
            if article.content != before.content {
                content_by = caller.user_id;
            }
            if rewritten {
                approvers.clear();
                prop_assert_eq!(article.status, ArticleStatus::Draft);
            } else if matches!(wanted, Try::Approve) && article != before {
                approvers.insert(caller.user_id);
            }

            for writer in [author.user_id, title_by, content_by] {
                prop_assert!(!approvers.contains(&writer));
            }
            let approved = approvers.len() >= 2;
            if article.status != before.status && !rewritten {
                prop_assert!(caller.roles.contains(&Role::Editor));
                prop_assert!(article.status == ArticleStatus::Draft || approved);
            }
            prop_assert_eq!(&article.approvals, &approvers);
            prop_assert_eq!(article.version, before.version + u64::from(article != before));
        }
    }
}

/// An attempt of a caller.
#[derive(Debug, Clone)]
enum Try {
    Approve,
    Patch(Value),
}

/// Attempts and their callers; the author is 0.
fn tries() -> impl Strategy<Value = (u128, Try)> {
    let title = prop::option::of(prop::sample::select(vec!["First title", "Other title"]));
    let content = prop::option::of(prop::sample::select(vec!["It glows.", "It shines.", "Off."]));
    let status = prop::option::of(prop::sample::select(vec!["DRAFT", "PUBLISHED", "PUBLISHED"]));
    let patch = (title, content, status).prop_map(|(title, content, status)| {
        let given = [("title", title), ("content", content), ("status", status)].into_iter();
        Try::Patch(given.filter_map(|(name, value)| Some((name, json!(value?)))).collect())
    });
    (0..6_u128, prop_oneof![2 => Just(Try::Approve), 1 => patch])
}

/// The article after the attempt, as the endpoints decide.
fn attempt(caller: &SignedIn, wanted: &Try, article: Article) -> Article {
    let may = |action| article.answer(Some(caller), action) == AccessDecision::Yes;
    let now = moment().now();
    match wanted {
        Try::Approve if may(ArticleAction::Approve) => {
            article.clone().approved_by(caller.user_id, now).unwrap_or(article)
        }
        Try::Patch(patch) => {
            let patch: ArticlePatch = read(patch.clone());
            let allowed = may(patch.action_on(&article));
            let after = patch.applied_to(
                &article,
                caller.user_id,
                BusinessRules::default().approvals_needed,
                now,
            );
            after.ok().filter(|_| allowed).unwrap_or(article)
        }
        Try::Approve => article,
    }
}

/// Callers 1 to 3 are editors, the others are writers.
fn someone(who: u128) -> SignedIn {
    person(who, if who <= 3 { Role::Editor } else { Role::Writer })
}

fn person(who: u128, role: Role) -> SignedIn {
    signed_in(UserId::from(Uuid::from_u128(who)), &[role])
}
