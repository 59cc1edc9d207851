//! `POST /articles/{articleId}/share-links`: a link with which anyone may read a draft for 7 days.
//!
//! No idempotency key: its record would hold the token in clear text. A repeated request creates
//! another link, and revokes the one whose response was lost.

use aws::{OrNotFound, Table};
use domain::articles::{Article, ArticleAction, ArticleId, ShareLinkView};
use domain::people::{Role, SignedIn};
use domain::resources::ARTICLES;
use lifecycle::Endpoint;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| PostShareLink { articles: aws.table(), public_url: aws.public_url() })
}

struct PostShareLink {
    articles: Table<Article>,
    public_url: String,
}

/// The article, and its public URL.
struct Found {
    article: Article,
    url: String,
}

/// The article with its new link.
struct Shared {
    article: Article,
    link: ShareLinkView,
}

impl Endpoint for PostShareLink {
    // 1. Routing
    const ROUTE: Route = Route::post("/articles/{articleId}/share-links");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Writer, Role::Editor]);

    const RESOURCES: Resources =
        &[Resource::Table(ARTICLES, &[GetItem, PutItem]), Resource::PublicUrl];

    // 4. Deserialisation
    type Input = Path<ArticleId>;

    // 5. Syntax validation
    type Command = ArticleId;

    // 6. Retrieval
    type Facts = Found;

    async fn retrieve(
        &self,
        permit: &Permit<SignedIn>,
        article_id: &ArticleId,
    ) -> Retrieved<Found> {
        let article =
            self.articles.get(permit, &Article::key_of(*article_id)).await?.or_not_found()?;
        Ok(Found {
            article,
            url: permit.public_url(&self.public_url, &format!("/articles/{article_id}")),
        })
    }

    // 3b. Authorization: the article's author and editors
    const ALLOW: Allow<Self> = Allow::If(|caller: &SignedIn, _, Found { article, .. }: &Found| {
        article.answer(Some(caller), ArticleAction::Share).verdict()
    });

    const CONDITIONS: Conditions<Found> = Conditions::On(|found| Some(found.article.entity_tag()));

    // 7. Business rules: a new link revokes the previous one
    type Outcome = Shared;

    fn decide(
        moment: &Moment,
        _: &SignedIn,
        _: &ArticleId,
        Found { article, url }: Found,
    ) -> Result<Shared, DomainError> {
        let (article, link) = article.shared(moment, &url);
        Ok(Shared { article, link })
    }

    // 8. Side effects: only the hash of the token is stored
    fn effects(Shared { article, .. }: &Shared) -> Effects {
        Effects::none().write(Write::replace(article, article.version - 1))
    }

    // 9. Response
    type Reply = reply::Created<ShareLinkView>;

    fn reply(Shared { link, .. }: Shared) -> reply::Created<ShareLinkView> {
        reply::Created::of(link)
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, article, moment, signed_in};

    use super::*;

    #[test]
    fn the_link_is_absolute_and_its_token_is_not_stored() {
        let author = signed_in(ann().user_id, &[Role::Writer]);
        let url = "https://api.example.com/articles/1".to_owned();
        let found = Found { article: article(), url: url.clone() };
        let shared =
            PostShareLink::decide(&moment(), &author, &article().article_id, found).unwrap();
        let ShareLinkView { token, .. } = &shared.link;
        assert_eq!(shared.link.url, format!("{url}?share={token}"));
        assert!(shared.article.is_shared_by(token, moment().now()));
        let effects = PostShareLink::effects(&shared);
        assert!(!format!("{effects:?}").contains(token));
    }
}
