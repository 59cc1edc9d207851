//! Articles: no published words without approvals by editors who approved these words.

use std::collections::{BTreeMap, BTreeSet};

use simulation::evidence::subject;
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
}

impl Default for Articles {
    fn default() -> Self {
        let writes = Writes::of(&[tables::ARTICLES]);
        Self { writes, known: BTreeMap::new(), asked: BTreeSet::new() }
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
        if !self.writes.happened(event) {
            return Ok(());
        }
        for article in items::all::<Article>(view, tables::ARTICLES) {
            let before = self.known.insert(article.article_id.clone(), article.clone());
            if before.as_ref() != Some(&article) {
                check(before.as_ref(), &article, &self.asked)?;
            }
        }
        Ok(())
    }
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
