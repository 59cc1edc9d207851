//! Articles: no published words without approvals by editors who approved these words.

use std::collections::{BTreeMap, BTreeSet};

use simulation::evidence::{Requests, subject};
use simulation::world::{Event, Happened, Oracle, View};

use crate::items::{self, Article, Writes, tables};

pub(super) const NAME: &str = "no published words without approvals";

/// The approvals that the rules ask for.
const NEEDED: usize = 2;

/// Checks each write of articles.
#[derive(Debug, Clone)]
pub(super) struct Articles {
    writes: Writes,
    known: BTreeMap<String, Article>,
    /// The articles and editors of all requests for an approval.
    asked: BTreeSet<(String, String)>,
    requests: Requests,
    /// The people whose change with a title or a content succeeded.
    writers: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Default for Articles {
    fn default() -> Self {
        let writes = Writes::of(&[tables::ARTICLES]);
        Self {
            writes,
            known: BTreeMap::new(),
            asked: BTreeSet::new(),
            requests: Requests::default(),
            writers: BTreeMap::new(),
        }
    }
}

impl Oracle for Articles {
    fn name(&self) -> &str {
        NAME
    }

    fn observe(&mut self, event: &Event, view: &View<'_>) -> Result<(), String> {
        if let Happened::Requested { method, path, headers, .. } = &event.what {
            let article = path.strip_prefix("/articles/");
            let article = article.and_then(|rest| rest.strip_suffix("/approvals/me"));
            let token = headers.iter().find(|(name, _)| name == "authorization");
            let editor = token.and_then(|(_, value)| subject(value.strip_prefix("Bearer ")?));
            if let ("PUT", Some(article), Some(editor)) = (method.as_str(), article, editor) {
                self.asked.insert((article.to_owned(), editor));
            }
        }
        self.wrote(event);
        if !self.writes.happened(event) {
            return Ok(());
        }
        for article in items::all::<Article>(view, tables::ARTICLES) {
            let before = self.known.insert(article.article_id.clone(), article.clone());
            if before.as_ref() != Some(&article) {
                check(before.as_ref(), &article, &self.asked)?;
                approved_by_others(&article, &self.writers)?;
            }
        }
        Ok(())
    }
}

impl Articles {
    /// Remembers the writer of a title or a content.
    fn wrote(&mut self, event: &Event) {
        let Some((request, answer)) = self.requests.answered(event) else { return };
        let article = request.parts("/articles/{}").and_then(|parts| parts.first().copied());
        let writer = request.token().and_then(subject);
        let (Some(article), Some(writer)) = (article, writer) else { return };
        if request.method != "PATCH" || !answer.is_success() {
            return;
        }
        let body = request.json();
        for text in [&body["title"], &body["content"]].into_iter().filter_map(|it| it.as_str()) {
            let text = (article.to_owned(), text.to_owned());
            self.writers.entry(text).or_default().insert(writer.clone());
        }
    }
}

/// Whether an article is published with enough approvals of editors who wrote neither its title nor
/// its content. Words that several people have sent have no author here.
fn approved_by_others(
    article: &Article,
    writers: &BTreeMap<(String, String), BTreeSet<String>>,
) -> Result<(), String> {
    let Article { article_id, author_id, title, content, approvals, status, .. } = article;
    let of_text = |text: &String| writers.get(&(article_id.clone(), text.clone()));
    let own: Vec<&String> = [title, content]
        .into_iter()
        .filter_map(of_text)
        .filter(|writers| writers.len() == 1)
        .flatten()
        .collect();
    let others = approvals.iter().filter(|it| *it != author_id && !own.contains(it)).count();
    if status == "PUBLISHED" && others < NEEDED {
        return Err(format!("article {article_id} is published by approvals of its writers"));
    }
    Ok(())
}

fn check(
    before: Option<&Article>,
    after: &Article,
    asked: &BTreeSet<(String, String)>,
) -> Result<(), String> {
    let Article { article_id, author_id, approvals, .. } = after;
    let others = approvals.iter().filter(|editor| *editor != author_id).count();
    if after.status == "PUBLISHED" && others < NEEDED {
        return Err(format!("article {article_id} is published with {others} approvals"));
    }
    let never_asked =
        approvals.iter().find(|editor| !asked.contains(&(article_id.clone(), (*editor).clone())));
    if let Some(editor) = never_asked {
        return Err(format!("{editor} never approved article {article_id}"));
    }
    let Some(before) = before else { return Ok(()) };
    if after.version <= before.version {
        return Err(format!(
            "article {article_id} changed at version {} from {}",
            after.version, before.version
        ));
    }
    let is_rewritten = (&before.title, &before.content) != (&after.title, &after.content);
    // Two changes may be seen as one: the second can be an approval.
    let is_one_change = after.version == before.version + 1;
    if is_rewritten && is_one_change && !(approvals.is_empty() && after.status == "DRAFT") {
        return Err(format!("article {article_id} kept approvals of other words"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_approval_of_own_words_is_found() {
        let article: Article = serde_json::from_value(json!({
            "articleId": "a", "authorId": "w", "title": "t", "content": "c",
            "status": "PUBLISHED", "approvals": ["x", "y"], "version": 4,
        }))
        .unwrap();
        let wrote = |text: &str, people: &[&str]| {
            let people = people.iter().map(|it| (*it).to_owned()).collect();
            BTreeMap::from([(("a".to_owned(), text.to_owned()), people)])
        };
        assert!(approved_by_others(&article, &BTreeMap::new()).is_ok());
        assert!(approved_by_others(&article, &wrote("another", &["x"])).is_ok());
        assert!(approved_by_others(&article, &wrote("t", &["x", "z"])).is_ok());
        approved_by_others(&article, &wrote("c", &["y"])).unwrap_err();
    }

    #[test]
    fn published_or_kept_approvals_of_other_words_are_found() {
        let article = |status: &str, title: &str, approvals: &[&str], version: u64| -> Article {
            serde_json::from_value(json!({
                "articleId": "a", "authorId": "w", "title": title, "content": "c",
                "status": status, "approvals": approvals, "version": version,
            }))
            .unwrap()
        };
        let asked: BTreeSet<_> =
            ["x", "y", "w"].map(|editor| ("a".to_owned(), editor.to_owned())).into();
        let draft = article("DRAFT", "t", &["x"], 2);
        for (before, after, is_right) in [
            (None, article("DRAFT", "t", &[], 1), true),
            (Some(&draft), article("PUBLISHED", "t", &["x", "y"], 4), true),
            (Some(&draft), article("DRAFT", "other", &[], 3), true),
            (Some(&draft), article("PUBLISHED", "t", &["x"], 3), false),
            (Some(&draft), article("PUBLISHED", "t", &["x", "w"], 3), false),
            (Some(&draft), article("DRAFT", "other", &["x"], 3), false),
            (Some(&draft), article("DRAFT", "t", &["z"], 3), false),
            (Some(&draft), article("DRAFT", "t", &["x", "y"], 2), false),
        ] {
            let checked = check(before, &after, &asked);
            assert_eq!(checked.is_ok(), is_right, "{after:?}: {checked:?}");
        }
    }
}
