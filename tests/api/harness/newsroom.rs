//! The steps that writers and editors take.

use client::{ApiResponse, Client, Error};
use domain::articles::{ArticleId, ArticleView};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Api, Call, InProcess, read};

/// An article, and an editor who is not its author.
pub(crate) struct Article {
    pub(crate) id: ArticleId,
    pub(crate) editor: Client,
    api: Api,
}

impl Article {
    /// A new draft.
    pub(crate) async fn new(api: &Api, inside: &InProcess, author: &Client) -> Self {
        let draft = read(json!({ "title": "How lamps shine", "content": "They glow." }));
        let created = author.post_article(&draft, None).await.expect("an article");
        Self {
            id: created.data.article_id,
            editor: api.someone(inside, "EDITOR"),
            api: api.clone(),
        }
    }

    pub(crate) fn path(&self) -> String {
        format!("/articles/{}", self.id)
    }

    /// A read without a token.
    pub(crate) fn get(&self) -> Call {
        self.api.get(&self.path())
    }

    /// The article, as its editor sees it.
    pub(crate) async fn seen(&self) -> ApiResponse<ArticleView> {
        self.editor.get_article(self.id, None).await.unwrap()
    }

    pub(crate) async fn version(&self) -> u64 {
        self.seen().await.data.version
    }

    /// Changes it as this caller.
    pub(crate) async fn patch(
        &self,
        by: &Client,
        patch: Value,
    ) -> Result<ApiResponse<ArticleView>, Error> {
        by.patch_article(self.id, &read(patch), None).await
    }

    /// Two editors approve.
    pub(crate) async fn approve_twice(&self, inside: &InProcess) {
        for _ in 0..2 {
            self.api.someone(inside, "EDITOR").put_approval(self.id, None).await.unwrap();
        }
    }

    /// The editor publishes it.
    pub(crate) async fn publish(&self) {
        self.patch(&self.editor, json!({ "status": "PUBLISHED" })).await.unwrap();
    }
}

/// The token of a new user with this role.
pub(crate) fn someone(inside: &InProcess, role: &str) -> String {
    inside.token(&Uuid::new_v4().to_string(), &[role])
}
