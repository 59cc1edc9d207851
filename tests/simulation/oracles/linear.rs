//! Linearizability: the answers about each of the first articles have one order that explains them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use simulation::evidence::{Answer, Request, Requests, subject};
use simulation::world::{Event, Oracle, View};

use crate::items::{self, Article, tables};
use crate::linear::checker::{Call, Verdict, check};
use crate::linear::{ArticleModel, Shown, Step, Taken};
use crate::opening::{ARTICLES, CONTENT, TITLE, article_id};

pub(super) const NAME: &str = "single records are linearizable";

/// The steps of one search. A search that needs more is a failure, too: it may hide one.
const STEPS_MAX: usize = 200_000;

/// Checks the answers when the world is at rest.
#[derive(Debug, Clone, Default)]
pub(super) struct Linear {
    requests: Requests,
    calls: BTreeMap<String, Vec<Call<Step>>>,
}

impl Oracle for Linear {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        let Some((request, answer)) = self.requests.answered(event) else { return Ok(()) };
        let Some(article) = article(&request) else { return Ok(()) };
        if let Some(call) = call(&request, Some((&answer, event.number))) {
            self.calls.entry(article).or_default().push(call);
        }
        Ok(())
    }

    fn at_rest(&mut self, view: &View<'_>) -> Result<(), String> {
        for request in self.requests.unanswered() {
            if let (Some(article), Some(call)) = (article(request), call(request, None)) {
                self.calls.entry(article).or_default().push(call);
            }
        }
        let stored: Vec<Article> = items::all(view, tables::ARTICLES);
        for id in (0..ARTICLES).map(|index| article_id(index).to_string()) {
            let mut calls = self.calls.remove(&id).unwrap_or_default();
            // The article at rest is a read after everything else.
            let last = stored.iter().find(|article| article.article_id == id).map(read);
            calls.extend(last);
            explained(&id, calls, STEPS_MAX)?;
        }
        Ok(())
    }
}

/// Whether an order explains the calls of an article, found in at most so many steps.
fn explained(id: &str, mut calls: Vec<Call<Step>>, steps_max: usize) -> Result<(), String> {
    let found = match check::<ArticleModel>(first(), &calls, steps_max) {
        Verdict::Linearizable(_) => return Ok(()),
        Verdict::NotLinearizable => "no order explains".to_owned(),
        _ => format!("{steps_max} steps found no order for"),
    };
    calls.sort_by_key(|call| call.begin);
    Err(format!("article {id}: {found} {calls:#?}"))
}

fn first() -> Taken {
    Taken {
        title: TITLE.to_owned(),
        content: CONTENT.to_owned(),
        published: false,
        approvals: BTreeSet::new(),
        version: 1,
    }
}

fn read(article: &Article) -> Call<Step> {
    let shown = Shown {
        title: article.title.clone(),
        content: article.content.clone(),
        published: article.status == "PUBLISHED",
        approvals: article.approvals.len(),
        version: article.version,
    };
    Call { operation: Step::Read(shown), begin: u64::MAX, end: Some(u64::MAX) }
}

/// The article of a request.
fn article(request: &Request) -> Option<String> {
    let templates = ["/articles/{}", "/articles/{}/approvals/me", "/articles/{}/share-links"];
    let id = templates.iter().find_map(|template| request.parts(template)?.pop())?;
    Some(id.to_owned())
}

/// The call of a request. `None` if it has no effect, and shows nothing.
fn call(request: &Request, answered: Option<(&Answer<'_>, u64)>) -> Option<Call<Step>> {
    // The function may have performed a request although the answer is an error of the gateway, or
    // of a function that does not know its commit's outcome.
    let known = answered.filter(|(answer, _)| answer.status < 500);
    if known.as_ref().is_some_and(|(answer, _)| !answer.is_success()) {
        return None;
    }
    let body = known.as_ref().map(|(answer, _)| answer.json());
    let shown = body.as_ref().and_then(|body| shown(&body["data"]));
    let operation = match request.method.as_str() {
        "GET" => Step::Read(shown?),
        "PATCH" => {
            let patch = request.json();
            let text = |name: &str| patch[name].as_str().map(str::to_owned);
            let published = patch["status"].as_str().map(|status| status == "PUBLISHED");
            Step::Patch { title: text("title"), content: text("content"), published, shown }
        }
        "PUT" => Step::Approve(subject(request.token()?)?),
        "POST" => Step::Share,
        _ => return None,
    };
    let end = known.map(|(_, at)| at);
    Some(Call { operation, begin: request.number, end })
}

fn shown(data: &Value) -> Option<Shown> {
    Some(Shown {
        title: data["title"].as_str()?.to_owned(),
        content: data["content"].as_str()?.to_owned(),
        published: data["status"] == "PUBLISHED",
        approvals: usize::try_from(data["approvals"].as_u64()?).ok()?,
        version: data["version"].as_u64()?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use simulation::Millis;

    use super::*;

    #[test]
    fn calls_without_an_order_and_a_search_that_is_given_up_are_found() {
        let shared = |begin, end| Call { operation: Step::Share, begin, end: Some(end) };
        let seen = |version, at| {
            let (title, content) = (TITLE.to_owned(), CONTENT.to_owned());
            let shown = Shown { title, content, published: false, approvals: 0, version };
            Call { operation: Step::Read(shown), begin: at, end: Some(at + 1) }
        };
        assert_eq!(explained("a", vec![shared(0, 1), seen(2, 2)], 100), Ok(()));
        let wrong = explained("a", vec![shared(0, 1), seen(1, 2)], 100).unwrap_err();
        assert!(wrong.starts_with("article a: no order explains"), "{wrong}");
        let given_up = explained("a", vec![shared(0, 1), seen(2, 2)], 1).unwrap_err();
        assert!(given_up.starts_with("article a: 1 steps found no order"), "{given_up}");
    }

    #[test]
    fn a_change_without_a_definite_answer_may_have_had_its_effect() {
        let request = Request {
            at: Millis(0),
            number: 3,
            address: String::new(),
            method: "PATCH".to_owned(),
            path: "/articles/1".to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: json!({ "status": "PUBLISHED" }).to_string(),
        };
        let answer = |status| Answer { status, headers: &[], body: "{}", by_function: false };
        let end = |status| call(&request, Some((&answer(status), 9))).map(|call| call.end);
        assert_eq!(end(503), Some(None));
        assert_eq!(end(422), None);
        assert_eq!(end(200), Some(Some(9)));
        assert_eq!(call(&request, None).map(|call| call.end), Some(None));
    }
}
