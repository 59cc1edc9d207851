//! `PUT /articles/{articleId}/approvals/me`: an editor approves the current version of an article,
//! if only others wrote it.
//!
//! With `If-Match` the approval holds only for the version that the editor has read.

use aws::{OrNotFound, Table};
use domain::articles::{Article, ArticleAction, ArticleId};
use domain::error_codes;
use domain::people::{Role, SignedIn};
use domain::resources::ARTICLES;
use lifecycle::Endpoint;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| PutApproval { articles: aws.table() })
}

struct PutApproval {
    articles: Table<Article>,
}

impl Endpoint for PutApproval {
    // 1. Routing
    const ROUTE: Route = Route::put("/articles/{articleId}/approvals/me");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Editor]);

    const RESOURCES: Resources = &[Resource::Table(ARTICLES, &[GetItem, PutItem])];

    // 4. Deserialisation
    type Input = Path<ArticleId>;

    // 5. Syntax validation
    type Command = ArticleId;

    // 6. Retrieval
    type Facts = Article;

    async fn retrieve(
        &self,
        permit: &Permit<SignedIn>,
        article_id: &ArticleId,
    ) -> Retrieved<Article> {
        self.articles.get(permit, &Article::key_of(*article_id)).await?.or_not_found()
    }

    // 3b. Authorization
    const ALLOW: Allow<Self> = Allow::If(|caller: &SignedIn, _, article: &Article| {
        article.answer(Some(caller), ArticleAction::Approve).verdict()
    });

    const CONDITIONS: Conditions<Article> = Conditions::On(|article| Some(article.entity_tag()));

    // 7. Business rules: editors cannot approve their own words, and each counts once
    type Outcome = Option<Article>;
    const ERRORS: &'static [ErrorCode] = &[error_codes::OWN_ARTICLE];

    fn decide(
        moment: &Moment,
        caller: &SignedIn,
        _: &ArticleId,
        article: Article,
    ) -> Result<Option<Article>, DomainError> {
        article.answer(Some(caller), ArticleAction::Approve).ruling()?;
        Ok(article.approved_by(caller.user_id, moment.now()))
    }

    // 8. Side effects: none if the editor has approved this version already
    fn effects(approved: &Option<Article>) -> Effects {
        let writes = approved.iter().map(|article| Write::replace(article, article.version - 1));
        Effects::none().writes_of(writes)
    }

    // 9. Response
    type Reply = reply::NoContent;

    fn reply(_: Option<Article>) -> reply::NoContent {
        reply::NoContent
    }
}

#[cfg(test)]
mod tests {
    use domain::BusinessRules;
    use domain::articles::ArticlePatch;
    use domain::examples::{ann, article, moment, read, signed_in};
    use domain::people::UserId;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_approval_is_written_once() {
        let editor = signed_in(UserId::from(Uuid::nil()), &[Role::Editor]);
        let approved = decide(&editor, article()).unwrap();
        assert_eq!(PutApproval::effects(&approved).writes().len(), 1);
        let again = decide(&editor, approved.unwrap()).unwrap();
        assert!(PutApproval::effects(&again).writes().is_empty());
    }

    #[test]
    fn an_editor_who_wrote_any_of_the_words_is_422_with_own_article() {
        let author = signed_in(ann().user_id, &[Role::Editor]);
        let editor = signed_in(UserId::from(Uuid::nil()), &[Role::Editor]);
        let patch: ArticlePatch = read(json!({ "content": "They glow, and hum." }));
        let needed = BusinessRules::default().approvals_needed;
        let edited = patch.applied_to(&article(), editor.user_id, needed, moment().now()).unwrap();
        for (caller, article) in
            [(&author, article()), (&author, edited.clone()), (&editor, edited)]
        {
            let id = article.article_id;
            assert_eq!(PutApproval::ALLOW.verdict(caller, &id, &article), Verdict::Allow);
            assert_eq!(decide(caller, article).unwrap_err().code, "OWN_ARTICLE");
        }
    }

    fn decide(caller: &SignedIn, article: Article) -> Result<Option<Article>, DomainError> {
        PutApproval::decide(&moment(), caller, &article.article_id.clone(), article)
    }
}
