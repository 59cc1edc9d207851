//! Who may do what to which article: every cell of the table in `ARCHITECTURE.md`, over HTTP.

use domain::articles::access::answer;
use domain::articles::{Action, Answer as Told, ArticleStatus, Relation};
use lifecycle::Rejection;
use serde_json::json;

use crate::harness::{Answer, Api, Article, Inside, shared, someone};

/// Everybody there is: a role, and what somebody with that role is to the article.
const CALLERS: [(Option<&str>, Relation); 8] = [
    (None, Relation::Nobody),
    (Some("CUSTOMER"), Relation::Stranger),
    (Some("MERCHANT"), Relation::Stranger),
    (Some("ADMIN"), Relation::Stranger),
    (Some("WRITER"), Relation::Writer),
    (Some("WRITER"), Relation::Author),
    (Some("EDITOR"), Relation::Editor),
    (Some("EDITOR"), Relation::EditorAuthor),
];

#[tokio::test]
async fn every_cell_of_the_table_is_answered_as_the_table_says() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    for (role, relation) in CALLERS {
        for &action in Action::ALL {
            for &state in ArticleStatus::ALL {
                let cell = Cell::prepare(&api, inside, role, relation, state).await;
                let before = cell.article.version().await;
                let answered = cell.attempt(action, state).await;
                let told = answer(action, state, relation);
                let place = format!("{action:?} {state:?} by {role:?}, {relation:?}");
                assert_eq!(answered.status, status(told, action), "{place}: {answered:?}");
                assert_code(told, &answered);
                let changed = u64::from(told == Told::Yes && changes(action));
                assert_eq!(cell.article.version().await, before + changed, "{place}");
            }
        }
    }
    assert!(Relation::ALL.iter().all(|known| CALLERS.iter().any(|(_, it)| it == known)));
}

/// An article that enough editors have approved, and somebody who comes to it.
struct Cell {
    api: Api,
    caller: Option<String>,
    article: Article,
    share: String,
}

impl Cell {
    async fn prepare(
        api: &Api,
        inside: &Inside,
        role: Option<&str>,
        relation: Relation,
        state: ArticleStatus,
    ) -> Self {
        let caller = role.map(|role| someone(inside, role));
        let author = match (relation, &caller) {
            (Relation::Author | Relation::EditorAuthor, Some(caller)) => caller.clone(),
            _ => someone(inside, "WRITER"),
        };
        let article = Article::new(api, inside, &author).await;
        article.approve_twice(inside).await;
        if state == ArticleStatus::Published {
            article.publish().await;
        }
        let link = article.share_link().token(&author).send().await.data(201);
        let share = link["token"].as_str().unwrap().to_owned();
        Self { api: api.clone(), caller, article, share }
    }

    async fn attempt(&self, action: Action, state: ArticleStatus) -> Answer {
        let (api, article) = (&self.api, &self.article);
        let other = match state {
            ArticleStatus::Draft => "PUBLISHED",
            ArticleStatus::Published => "DRAFT",
        };
        let draft = json!({ "title": "Somebody's own", "content": "It glows.", "status": state });
        let call = match action {
            Action::Create => api.post("/articles", &draft),
            Action::Read => article.get(),
            Action::ReadShared => api.get(&format!("{}?share={}", article.path, self.share)),
            Action::Edit => article.patch(&json!({ "title": "A new title" })),
            Action::ChangeStatus => article.patch(&json!({ "status": other })),
            Action::Approve => article.approval(),
            Action::Share => article.share_link(),
        };
        match &self.caller {
            Some(token) => call.token(token).send().await,
            None => call.send().await,
        }
    }
}

fn status(told: Told, action: Action) -> u16 {
    match (told, action) {
        (Told::Yes, Action::Create | Action::Share) => 201,
        (Told::Yes, Action::Read | Action::ReadShared | Action::Edit | Action::ChangeStatus) => 200,
        (Told::Yes, Action::Approve) => 204,
        (Told::Unauthenticated, _) => 401,
        (Told::Forbidden, _) => 403,
        (Told::Hidden, _) => 404,
        (Told::Refused(_), _) => 422,
    }
}

fn assert_code(told: Told, answered: &Answer) {
    match told {
        Told::Yes => answered.assert_is_a_functions(),
        Told::Unauthenticated => answered.gateway(401, "Unauthorized"),
        Told::Forbidden => drop(answered.error(403, "FORBIDDEN")),
        Told::Hidden => drop(answered.error(404, "NOT_FOUND")),
        Told::Refused(refusal) => drop(answered.error(422, Rejection::from(refusal).code)),
    }
}

fn changes(action: Action) -> bool {
    match action {
        // What is created is another article.
        Action::Create | Action::Read | Action::ReadShared => false,
        Action::Edit | Action::ChangeStatus | Action::Approve | Action::Share => true,
    }
}
