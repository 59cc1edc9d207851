//! Writers and editors: they write, change, approve, publish and withdraw the same articles.

use serde_json::{Value, json};
use simulation::random::{Random, Seeded};
use simulation::world::{ApiRequest, Client, Planned, Workload};

use super::caller::{Caller, data, persist};
use super::day::day;
use crate::opening::{ARTICLES, article_id, open};
use crate::people::Person;

/// Writers and editors with so many changes.
#[derive(Debug, Clone, Copy)]
pub struct Newsroom {
    /// The changes.
    pub edits: usize,
}

/// One change or look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// Gives an article another title.
    Title(Person, usize, u64),
    /// Gives an article another text.
    Content(Person, usize, u64),
    /// Approves an article.
    Approve(Person, usize),
    /// Publishes an article, if it has the approvals.
    Publish(Person, usize),
    /// Makes an article a draft.
    Withdraw(Person, usize),
    /// Makes a link to a draft, reads the draft by it, and revokes it by another.
    Share(Person, usize),
    /// Reads an article, also without a token.
    Read(Option<Person>, usize),
    /// Writes a new article, published at once or not.
    Write(Person, bool),
}

impl Workload for Newsroom {
    type Operation = Edit;

    fn plan(&self, random: &mut Seeded) -> Vec<Planned<Edit>> {
        let edits: Vec<Edit> = (0..self.edits).map(|_| edit(random)).collect();
        let within = day(self.edits, random);
        edits.into_iter().map(|edit| Planned::within(within, random, edit)).collect()
    }

    async fn perform(&self, client: Client, edit: &Edit) {
        open(&client).await;
        let (who, request) = request(*edit);
        let Some(who) = who else {
            persist(&client, &request).await;
            return;
        };
        let caller = Caller::of(&client, who);
        match edit {
            Edit::Write(..) => {
                let body = serde_json::from_slice(&request.body).unwrap_or_default();
                caller.create("/articles", &body).await;
            }
            Edit::Share(_, article) => {
                let shared = caller.send(request.clone()).await;
                if let Some(token) = shared.and_then(|shared| data(&shared, "token")) {
                    follow(&client, *article, &token).await;
                    // A new link revokes this one.
                    drop(caller.send(request).await);
                    follow(&client, *article, &token).await;
                }
            }
            _ => drop(caller.send(request).await),
        }
    }
}

/// A guest reads an article by its link, and tries another article with it.
async fn follow(client: &Client, article: usize, token: &str) {
    for article in [article, (article + 1) % ARTICLES] {
        let path = format!("/articles/{}?share={token}", article_id(article));
        persist(client, &ApiRequest::get(path)).await;
    }
}

fn edit(random: &mut Seeded) -> Edit {
    let (article, text) = (random.index(ARTICLES), random.below(1_000));
    let editor = Person::Editor(random.index(3));
    let writer = if random.below(2) == 0 { Person::Writer(random.index(2)) } else { editor };
    match random.below(16) {
        0 | 1 => Edit::Title(writer, article, text),
        2 => Edit::Content(writer, article, text),
        3..=7 => Edit::Approve(editor, article),
        8..=10 => Edit::Publish(editor, article),
        11 => Edit::Withdraw(editor, article),
        12 => Edit::Share(editor, article),
        13 => Edit::Write(writer, random.below(3) == 0),
        14 => Edit::Read(None, article),
        _ => Edit::Read(Some(writer), article),
    }
}

fn request(edit: Edit) -> (Option<Person>, ApiRequest) {
    let path = |article: usize| format!("/articles/{}", article_id(article));
    let patch = |article: usize, patch: Value| ApiRequest::new("PATCH", path(article)).json(&patch);
    match edit {
        Edit::Title(who, article, text) => {
            (Some(who), patch(article, json!({ "title": format!("The title number {text}") })))
        }
        Edit::Content(who, article, text) => {
            (Some(who), patch(article, json!({ "content": format!("Words number {text}.") })))
        }
        Edit::Approve(who, article) => {
            (Some(who), ApiRequest::new("PUT", format!("{}/approvals/me", path(article))))
        }
        Edit::Publish(who, article) => {
            (Some(who), patch(article, json!({ "status": "PUBLISHED" })))
        }
        Edit::Withdraw(who, article) => (Some(who), patch(article, json!({ "status": "DRAFT" }))),
        Edit::Share(who, article) => {
            (Some(who), ApiRequest::new("POST", format!("{}/share-links", path(article))))
        }
        Edit::Read(who, article) => (who, ApiRequest::get(path(article))),
        Edit::Write(who, published) => {
            let status = if published { "PUBLISHED" } else { "DRAFT" };
            let body = json!({ "title": "A new article", "content": "New.", "status": status });
            (Some(who), ApiRequest::post("/articles", &body))
        }
    }
}
