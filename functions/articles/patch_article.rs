//! `PATCH /articles/{articleId}`: the author or an editor changes an article; editors publish it.
//!
//! A new title or content ends all approvals, and makes a published article a draft again.

use aws::{CachedSetting, OrNotFound, Table};
use domain::articles::{Article, ArticleId, ArticlePatch, ArticleView};
use domain::people::{Role, SignedIn};
use domain::resources::{ARTICLES, SETTINGS};
use domain::{BusinessRules, error_codes};
use lifecycle::Endpoint;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| PatchArticle { articles: aws.table(), rules: aws.setting() })
}

struct PatchArticle {
    articles: Table<Article>,
    rules: CachedSetting<BusinessRules>,
}

/// A patch, and the id of the article that it changes.
#[derive(Debug)]
struct Change {
    article_id: ArticleId,
    patch: ArticlePatch,
}

/// The stored article, and the rules for publishing it.
struct Found {
    article: Article,
    rules: BusinessRules,
}

impl Endpoint for PatchArticle {
    // 1. Routing
    const ROUTE: Route = Route::patch("/articles/{articleId}");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Writer, Role::Editor]);

    const BODY_BYTES_MAX: usize = 256 * 1024;
    const RESOURCES: Resources =
        &[Resource::Table(ARTICLES, &[GetItem, PutItem]), Resource::Table(SETTINGS, &[GetItem])];

    // 4. Deserialisation
    type Input = (Path<ArticleId>, Json<ArticlePatch>);

    // 5. Syntax validation
    type Command = Change;

    // 6. Retrieval
    type Facts = Found;

    async fn retrieve(&self, permit: &Permit<SignedIn>, change: &Change) -> Retrieved<Found> {
        let key = Article::key_of(change.article_id);
        let (article, rules) =
            futures::try_join!(self.articles.get(permit, &key), self.rules.get(permit))?;
        Ok(Found { article: article.or_not_found()?, rules })
    }

    // 3b. Authorization: drafts of other writers are hidden, and only editors publish
    const ALLOW: Allow<Self> =
        Allow::If(|caller: &SignedIn, change: &Change, Found { article, .. }: &Found| {
            article.answer(Some(caller), change.patch.action_on(article)).verdict()
        });

    const CONDITIONS: Conditions<Found> = Conditions::On(|found| Some(found.article.entity_tag()));

    // 7. Business rules: publishing needs approvals, and a new text needs new ones
    type Outcome = Article;
    const ERRORS: &'static [ErrorCode] = &[error_codes::APPROVALS_MISSING];

    fn decide(
        moment: &Moment,
        caller: &SignedIn,
        change: &Change,
        Found { article, rules }: Found,
    ) -> Result<Article, DomainError> {
        change.patch.applied_to(&article, caller.user_id, rules.approvals_needed, moment.now())
    }

    // 8. Side effects
    fn effects(article: &Article) -> Effects {
        Effects::none().write(Write::replace(article, article.version - 1))
    }

    // 9. Response
    type Reply = reply::Ok<ArticleView>;

    fn reply(article: Article) -> reply::Ok<ArticleView> {
        let tag = article.entity_tag();
        reply::Ok::of(article.into()).tagged(tag)
    }
}

impl TryFrom<(ArticleId, ArticlePatch)> for Change {
    type Error = FieldErrors;

    fn try_from((article_id, patch): (ArticleId, ArticlePatch)) -> Result<Self, FieldErrors> {
        Ok(Self { article_id, patch: patch.checked()? })
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, approved_article, article, moment, read, signed_in};
    use domain::people::UserId;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn authors_edit_editors_publish_and_a_draft_is_hidden_from_other_writers() {
        let (edit, publish) = (json!({ "title": "A new title" }), json!({ "status": "PUBLISHED" }));
        let another = UserId::from(Uuid::nil());
        for (caller, patch, verdict) in [
            (signed_in(ann().user_id, &[Role::Writer]), &edit, Verdict::Allow),
            (signed_in(ann().user_id, &[Role::Writer]), &publish, Verdict::Forbid),
            (signed_in(another, &[Role::Editor]), &publish, Verdict::Allow),
            (signed_in(another, &[Role::Writer]), &edit, Verdict::Hide),
        ] {
            let found = Found { article: article(), rules: BusinessRules::default() };
            let change = change(patch.clone());
            assert_eq!(PatchArticle::ALLOW.verdict(&caller, &change, &found), verdict, "{patch}");
        }
    }

    #[test]
    fn publishing_with_fewer_approvals_than_the_rules_need_is_422() {
        let editor = signed_in(ann().user_id, &[Role::Editor]);
        let decide = |rules| {
            let found = Found { article: approved_article(), rules };
            PatchArticle::decide(
                &moment(),
                &editor,
                &change(json!({ "status": "PUBLISHED" })),
                found,
            )
        };
        assert!(decide(BusinessRules::default()).is_ok());
        let three = BusinessRules { approvals_needed: read(json!(3)), ..BusinessRules::default() };
        assert_eq!(decide(three).unwrap_err().code, "APPROVALS_MISSING");
    }

    #[test]
    fn a_change_replaces_only_the_version_that_was_read() {
        let editor = signed_in(UserId::from(Uuid::nil()), &[Role::Editor]);
        let found = Found { article: article(), rules: BusinessRules::default() };
        let after = change(json!({ "title": "A new title" }));
        let after = PatchArticle::decide(&moment(), &editor, &after, found);
        let effects = PatchArticle::effects(&after.unwrap());
        let [write] = effects.writes() else { panic!("{effects:?}") };
        let replace = Write::replace(&article(), 1);
        assert_eq!((&write.condition, &write.key), (&replace.condition, &replace.key));
    }

    fn change(patch: Value) -> Change {
        Change::try_from((article().article_id, read::<ArticlePatch>(patch))).unwrap()
    }
}
