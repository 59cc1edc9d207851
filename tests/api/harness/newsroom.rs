//! The steps that writers and editors take.

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Api, Call, Inside, read};

/// An article, and an editor who is not its author.
pub(crate) struct Article {
    pub(crate) api: Api,
    pub(crate) path: String,
    pub(crate) editor: String,
}

impl Article {
    /// A new draft.
    pub(crate) async fn new(api: &Api, inside: &Inside, author: &str) -> Self {
        let draft = read(json!({ "title": "How lamps shine", "content": "They glow." }));
        let created = api.store().with_token(author).post_article(&draft, None).await;
        let path = format!("/articles/{}", created.expect("an article").data.article_id);
        Self { api: api.clone(), path, editor: someone(inside, "EDITOR") }
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    /// As anybody asks for it.
    pub(crate) fn get(&self) -> Call {
        self.api.get(&self.path)
    }

    /// As an editor sees it.
    pub(crate) async fn seen(&self) -> Answer {
        self.get().token(&self.editor).send().await
    }

    pub(crate) async fn version(&self) -> u64 {
        self.seen().await.data(200)["version"].as_u64().unwrap()
    }

    pub(crate) fn patch(&self, patch: &Value) -> Call {
        self.api.patch(&self.path, patch)
    }

    pub(crate) fn approval(&self) -> Call {
        self.api.call(Method::PUT, &format!("{}/approvals/me", self.path))
    }

    /// Two editors approve.
    pub(crate) async fn approve_twice(&self, inside: &Inside) {
        for _ in 0..2 {
            let approved = self.approval().token(&someone(inside, "EDITOR")).send().await;
            assert_eq!(approved.status, 204, "{approved:?}");
        }
    }

    /// The editor publishes it.
    pub(crate) async fn publish(&self) {
        let publish = self.patch(&json!({ "status": "PUBLISHED" })).token(&self.editor);
        publish.send().await.data(200);
    }

    pub(crate) fn share_link(&self) -> Call {
        self.api.call(Method::POST, &format!("{}/share-links", self.path))
    }
}

/// The token of somebody new with this role.
pub(crate) fn someone(inside: &Inside, role: &str) -> String {
    inside.token(&Uuid::new_v4().to_string(), &[role])
}
