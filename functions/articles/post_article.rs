//! `POST /articles`: a writer or an editor drafts an article.

use domain::articles::{Article, ArticleDraft, ArticleView};
use domain::error_codes;
use domain::people::{Role, SignedIn};
use domain::resources::ARTICLES;
use lifecycle::Endpoint;
use lifecycle::prelude::*;

fn main() -> ExitCode {
    aws::serve(|_| PostArticle)
}

struct PostArticle;

impl Endpoint for PostArticle {
    // 1. Routing
    const ROUTE: Route = Route::post("/articles");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Writer, Role::Editor]);

    const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
    const BODY_BYTES_MAX: usize = 256 * 1024;
    const RESOURCES: Resources = &[Resource::Table(ARTICLES, &[PutItem])];

    // 4. Deserialisation
    type Input = Json<ArticleDraft>;

    // 5. Syntax validation
    type Command = ArticleDraft;

    // 6. Retrieval: none; a condition of the commit checks that the id is free
    type Facts = ();

    async fn retrieve(&self, _: &Permit<SignedIn>, _: &ArticleDraft) -> Retrieved<()> {
        Ok(())
    }

    // 3b. Authorization: writers do not publish
    const ALLOW: Allow<Self> =
        Allow::If(|caller: &SignedIn, draft: &ArticleDraft, ()| draft.answer(caller).verdict());

    const CONDITIONS: Conditions<()> = Conditions::Creation(Some(error_codes::ID_TAKEN));

    // 7. Business rules: editors do, but a new article has no approvals yet
    type Outcome = Article;
    const ERRORS: &'static [ErrorCode] = &[error_codes::ID_TAKEN, error_codes::APPROVALS_MISSING];

    fn decide(
        moment: &Moment,
        caller: &SignedIn,
        draft: &ArticleDraft,
        (): (),
    ) -> Result<Article, DomainError> {
        draft.answer(caller).ruling()?;
        Ok(Article::new(moment, caller.user_id, draft))
    }

    // 8. Side effects
    fn effects(article: &Article) -> Effects {
        let id_taken = error_codes::ID_TAKEN.at("/articleId", "is in use");
        Effects::none().write(Write::create(article).or_reject(id_taken))
    }

    // 9. Response
    type Reply = reply::Created<ArticleView>;

    fn reply(article: Article) -> reply::Created<ArticleView> {
        let (path, tag) = (format!("/articles/{}", article.article_id), article.entity_tag());
        reply::Created::at(path, article.into()).tagged(tag)
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, article, moment, read, signed_in};
    use lifecycle::effects::OnConditionFailed;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_article_without_a_status_is_a_draft_of_its_author() {
        let shown = serde_json::to_value(ArticleView::from(drafted(None).unwrap())).unwrap();
        assert_eq!(shown["status"], "DRAFT");
        assert_eq!(shown["authorId"], ann().user_id.to_string());
        assert_eq!((&shown["approvals"], &shown["version"]), (&json!(0), &json!(1)));
    }

    #[test]
    fn publishing_a_new_article_is_422_with_approvals_missing() {
        let refused = drafted(Some("PUBLISHED")).unwrap_err();
        assert_eq!(refused.code, "APPROVALS_MISSING");
    }

    #[test]
    fn a_taken_id_is_409_with_its_field() {
        let effects = PostArticle::effects(&article());
        let [write] = effects.writes() else { panic!("{effects:?}") };
        let OnConditionFailed::Reject(no) = &write.on_condition_failed else { panic!("{write:?}") };
        assert_eq!((no.code, no.details[0].field.as_str()), ("ID_TAKEN", "/articleId"));
    }

    fn drafted(status: Option<&str>) -> Result<Article, DomainError> {
        let mut draft = json!({ "title": "How lamps shine", "content": "They glow." });
        draft.as_object_mut().unwrap().extend(status.map(|it| ("status".to_owned(), json!(it))));
        let editor = signed_in(ann().user_id, &[Role::Editor]);
        PostArticle::decide(&moment(), &editor, &read(draft), ())
    }
}
