//! `GET /articles/{articleId}`: an article, for every caller who may read it.
//!
//! Signing in is optional, which an authorizer of API Gateway cannot offer. This function therefore
//! verifies the token itself, with the authorizer's code.

use std::fmt;

use aws::tokens::Verifier;
use aws::{OrNotFound, Table, VERIFICATION_KEYS};
use domain::articles::{
    AccessDecision, Article, ArticleAction, ArticleId, ArticleStatus, ArticleView,
};
use domain::people::{Role, SignedIn};
use domain::resources::ARTICLES;
use lifecycle::prelude::*;
use lifecycle::{Query, TokenVerifier};
use schemars::JsonSchema;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| GetArticle { articles: aws.table(), verifier: aws.verifier() })
}

struct GetArticle {
    articles: Table<Article>,
    verifier: Verifier,
}

/// The article's id, and the token if the client uses a share link.
struct Asked {
    article_id: ArticleId,
    share: Option<String>,
}

/// Without the token of the share link.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("article_id", &self.article_id).finish_non_exhaustive()
    }
}

/// An article, and whether the client has a valid share link to it.
struct Found {
    article: Article,
    shared: bool,
}

impl Query for GetArticle {
    // 1. Routing
    const ROUTE: Route = Route::get("/articles/{articleId}");

    // 2. Authentication
    type Caller = Option<SignedIn>;

    fn verifier(&self) -> Option<&dyn TokenVerifier> {
        Some(&self.verifier)
    }

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::Public;

    const RESOURCES: Resources =
        &[Resource::Table(ARTICLES, &[GetItem]), Resource::Secret(VERIFICATION_KEYS)];

    // 4. Deserialisation
    type Input = (Path<ArticleId>, QueryString<Link>);

    // 5. Syntax validation: any text is taken as a token; a wrong token counts as none
    type Command = Asked;

    // 6. Retrieval
    type Facts = Found;

    async fn retrieve(&self, permit: &Permit<Option<SignedIn>>, asked: &Asked) -> Retrieved<Found> {
        let key = Article::key_of(asked.article_id);
        let article = self.articles.get(permit, &key).await?.or_not_found()?;
        let now = permit.moment().now();
        let shared = asked.share.as_ref().is_some_and(|token| article.is_shared_by(token, now));
        Ok(Found { article, shared })
    }

    // 3b. Authorization: a draft is hidden from callers without access to it
    const ALLOW: Allow<Self> = Allow::HideUnless(|caller: &Option<SignedIn>, _, found: &Found| {
        let action = if found.shared { ArticleAction::ReadShared } else { ArticleAction::Read };
        found.article.answer(caller.as_ref(), action) == AccessDecision::Yes
    });

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response: every cache may keep a published article, but must revalidate it before each
    // use, since it can change or become a draft again. No cache keeps a draft.
    type Reply = reply::Ok<ArticleView>;

    fn reply(Found { article, .. }: Found) -> reply::Ok<ArticleView> {
        let (status, tag) = (article.status, article.entity_tag());
        let reply = reply::Ok::of(ArticleView::from(article)).tagged(tag);
        match status {
            ArticleStatus::Draft => reply,
            ArticleStatus::Published => reply.kept_publicly(),
        }
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
struct Link {
    /// The token of a share link.
    #[serde(default)]
    share: Option<String>,
}

impl From<(ArticleId, Link)> for Asked {
    fn from((article_id, Link { share }): (ArticleId, Link)) -> Self {
        Self { article_id, share }
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, article, signed_in};

    use super::*;

    #[test]
    fn a_draft_is_hidden_from_all_but_its_author_and_share_link_holders() {
        let author = signed_in(ann().user_id, &[Role::Writer]);
        for (caller, shared, verdict) in [
            (None, false, Verdict::Hide),
            (None, true, Verdict::Allow),
            (Some(author), false, Verdict::Allow),
        ] {
            let asked = Asked { article_id: article().article_id, share: None };
            let found = Found { article: article(), shared };
            assert_eq!(
                GetArticle::ALLOW.verdict(&caller, &asked, &found),
                verdict,
                "{caller:?} {shared}"
            );
        }
    }
}
