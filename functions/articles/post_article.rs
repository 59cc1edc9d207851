//! `POST /articles`: a writer or an editor drafts an article.

use domain::articles::{Article, ArticleDraft, ArticleView};
use domain::error_codes;
use domain::people::{Role, SignedIn};
use domain::resources::ARTICLES;
use lifecycle::Endpoint;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
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
    use domain::examples::ann;
    use lifecycle::record::Record;
    use lifecycle::testing::{self, Answer, Memory, Request};
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn a_new_article_without_a_status_is_a_draft_of_its_author() {
        let memory = Memory::new();
        let answer = post(&memory, json!({})).await;
        assert_eq!(answer.status, 201);
        let shown = &answer.json()["data"];
        assert_eq!(shown["status"], "DRAFT");
        assert_eq!(shown["authorId"], ann().user_id.to_string());
        assert_eq!((&shown["approvals"], &shown["version"]), (&json!(0), &json!(1)));
        let [item] = memory.items(ARTICLES).try_into().unwrap();
        let stored = Article::of_item(item).unwrap();
        assert_eq!(answer.header("location"), Some(&*format!("/articles/{}", stored.article_id)));
    }

    #[tokio::test]
    async fn publishing_a_new_article_is_422_with_approvals_missing() {
        let memory = Memory::new();
        let answer = post(&memory, json!({ "status": "PUBLISHED" })).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["error"]["code"], "APPROVALS_MISSING");
        assert!(memory.commits().is_empty());
    }

    #[tokio::test]
    async fn a_taken_id_is_409_with_its_field() {
        let memory = Memory::new();
        let created = post(&memory, json!({})).await.json();
        let taken = json!({ "articleId": created["data"]["articleId"] });
        let answer = post(&memory, taken).await;
        assert_eq!(answer.status, 409);
        let error = &answer.json()["error"];
        let field = &error["details"][0]["field"];
        assert_eq!((&error["code"], field), (&json!("ID_TAKEN"), &json!("/articleId")));
        assert_eq!(memory.commits().len(), 1);
    }

    /// Posts a draft with these fields, as an editor.
    async fn post(memory: &Memory, fields: Value) -> Answer {
        let mut draft = json!({ "title": "How lamps shine", "content": "They glow." });
        draft.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let editor = json!({ "sub": ann().user_id, "roles": ["EDITOR"], "exp": 4_102_444_800_u64 });
        let request = Request::new().json(&draft).by(editor);
        testing::endpoint(PostArticle, memory).ask(&request).await
    }
}
