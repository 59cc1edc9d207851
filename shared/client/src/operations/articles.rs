//! Articles: drafted, approved, published and shared.

use domain::articles::{ArticleDraft, ArticleId, ArticlePatch, ArticleView, ShareLinkView};

use crate::call::Call;
use crate::{ApiResponse, Client, Error};

impl Client {
    /// `POST /articles`
    pub async fn post_article(
        &self,
        article: &ArticleDraft,
        key: Option<&str>,
    ) -> Result<ApiResponse<ArticleView>, Error> {
        self.data(Call::post("/articles").json(article).keyed(key)).await
    }

    /// `GET /articles/{articleId}`, with the token of a share link if given.
    pub async fn get_article(
        &self,
        article_id: ArticleId,
        share: Option<&str>,
    ) -> Result<ApiResponse<ArticleView>, Error> {
        let call = Call::get(format!("/articles/{article_id}"));
        self.data(call.query(&[("share", share.map(str::to_owned))])).await
    }

    /// `PATCH /articles/{articleId}`, only if the article still has the given version.
    pub async fn patch_article(
        &self,
        article_id: ArticleId,
        patch: &ArticlePatch,
        if_match: Option<&str>,
    ) -> Result<ApiResponse<ArticleView>, Error> {
        let call = Call::patch(format!("/articles/{article_id}")).json(patch);
        self.data(call.if_match(if_match)).await
    }

    /// `PUT /articles/{articleId}/approvals/me`, only if the article still has the given version. If
    /// the response to a successful attempt is lost, the retry returns 412.
    pub async fn put_approval(
        &self,
        article_id: ArticleId,
        if_match: Option<&str>,
    ) -> Result<ApiResponse<()>, Error> {
        let call = Call::put(format!("/articles/{article_id}/approvals/me"));
        self.nothing(call.if_match(if_match)).await
    }

    /// `POST /articles/{articleId}/share-links`, which revokes the previous link.
    pub async fn post_share_link(
        &self,
        article_id: ArticleId,
    ) -> Result<ApiResponse<ShareLinkView>, Error> {
        self.data(Call::post(format!("/articles/{article_id}/share-links"))).await
    }
}
