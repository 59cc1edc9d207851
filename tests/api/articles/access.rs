//! Permissions on articles: every cell of the table in `ARCHITECTURE.md`, over HTTP.

use client::{ApiResponse, Client, Error};
use domain::articles::access::answer;
use domain::articles::{AccessDecision as Told, ArticleAction, ArticleStatus, Relation};
use http::StatusCode;
use lifecycle::DomainError;
use serde_json::json;

use crate::harness::{Api, Article, InProcess, Refused, read, shared_platform};

/// All callers: a role, and the relation of its holder to the article.
const CALLERS: [(Option<&str>, Relation); 9] = [
    (None, Relation::Nobody),
    (Some("CUSTOMER"), Relation::Stranger),
    (Some("MERCHANT"), Relation::Stranger),
    (Some("ADMIN"), Relation::Stranger),
    (Some("WRITER"), Relation::Writer),
    (Some("WRITER"), Relation::Author),
    (Some("EDITOR"), Relation::Editor),
    (Some("EDITOR"), Relation::EditorWriter),
    (Some("EDITOR"), Relation::EditorAuthor),
];

#[tokio::test]
async fn every_cell_of_the_table_is_answered_as_the_table_says() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    for (role, relation) in CALLERS {
        for &action in ArticleAction::ALL {
            for &state in ArticleStatus::ALL {
                let cell = Cell::prepare(&api, inside, role, relation, state).await;
                let before = cell.article.version().await;
                let answered = cell.attempt(action, state).await;
                let told = answer(action, state, relation);
                let place = format!("{action:?} {state:?} by {role:?}, {relation:?}");
                println!("{place}");
                assert_told(told, action, answered);
                let changed = u64::from(told == Told::Yes && changes(action));
                assert_eq!(cell.article.version().await, before + changed, "{place}");
            }
        }
    }
    assert!(Relation::ALL.iter().all(|known| CALLERS.iter().any(|(_, it)| it == known)));
}

/// An article that enough editors have approved, and a caller.
struct Cell {
    caller: Client,
    article: Article,
    share: String,
}

impl Cell {
    async fn prepare(
        api: &Api,
        inside: &InProcess,
        role: Option<&str>,
        relation: Relation,
        state: ArticleStatus,
    ) -> Self {
        let caller = role.map_or(api.client().clone(), |role| api.someone(inside, role));
        let author = match relation {
            Relation::Author | Relation::EditorAuthor => caller.clone(),
            _ => api.someone(inside, "WRITER"),
        };
        let article = Article::new(api, inside, &author).await;
        if relation == Relation::EditorWriter {
            article.patch(&caller, json!({ "content": "They glow, and hum." })).await.unwrap();
        }
        article.approve_twice(inside).await;
        if state == ArticleStatus::Published {
            article.publish().await;
        }
        let share = author.post_share_link(article.id).await.unwrap().data.token;
        Self { caller, article, share }
    }

    async fn attempt(
        &self,
        action: ArticleAction,
        state: ArticleStatus,
    ) -> Result<StatusCode, Error> {
        let (caller, id) = (&self.caller, self.article.id);
        let other = match state {
            ArticleStatus::Draft => ArticleStatus::Published,
            ArticleStatus::Published => ArticleStatus::Draft,
        };
        let draft = json!({ "title": "The caller's own", "content": "It glows.", "status": state });
        let patch = async |patch| caller.patch_article(id, &read(patch), None).await.map(status_of);
        match action {
            ArticleAction::Create => caller.post_article(&read(draft), None).await.map(status_of),
            ArticleAction::Read => caller.get_article(id, None).await.map(status_of),
            ArticleAction::ReadShared => {
                caller.get_article(id, Some(&self.share)).await.map(status_of)
            }
            ArticleAction::Edit => patch(json!({ "title": "A new title" })).await,
            ArticleAction::ChangeStatus => patch(json!({ "status": other })).await,
            ArticleAction::Approve => caller.put_approval(id, None).await.map(status_of),
            ArticleAction::Share => caller.post_share_link(id).await.map(status_of),
        }
    }
}

fn assert_told(told: Told, action: ArticleAction, answered: Result<StatusCode, Error>) {
    match told {
        Told::Yes => assert_eq!(answered.unwrap(), success(action)),
        Told::Unauthenticated => answered.refused_by_gateway(401),
        Told::Forbidden => drop(answered.refused(403, "FORBIDDEN")),
        Told::Hidden => drop(answered.refused(404, "NOT_FOUND")),
        Told::Refused(refusal) => drop(answered.refused(422, DomainError::from(refusal).code)),
    }
}

fn status_of<T>(answer: ApiResponse<T>) -> StatusCode {
    answer.status
}

/// The status of a success.
fn success(action: ArticleAction) -> u16 {
    match action {
        ArticleAction::Create | ArticleAction::Share => 201,
        ArticleAction::Read
        | ArticleAction::ReadShared
        | ArticleAction::Edit
        | ArticleAction::ChangeStatus => 200,
        ArticleAction::Approve => 204,
    }
}

fn changes(action: ArticleAction) -> bool {
    match action {
        // A creation makes another article.
        ArticleAction::Create | ArticleAction::Read | ArticleAction::ReadShared => false,
        ArticleAction::Edit
        | ArticleAction::ChangeStatus
        | ArticleAction::Approve
        | ArticleAction::Share => true,
    }
}
