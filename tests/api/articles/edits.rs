//! Concurrent edits of one article: no edit is lost, and no entity tag stands for two contents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use client::{ApiResponse, Client};
use domain::articles::{ArticlePatch, ArticleView, Content};
use futures::future::join_all;
use serde_json::json;

use crate::harness::{Article, Refused, shared_platform, until_done};

/// The number of editing clients.
const CLIENTS: usize = 20;
/// The number of concurrent readers.
const READERS: usize = 3;

#[tokio::test]
async fn of_edits_with_one_if_match_one_wins_and_no_line_is_lost() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = api.someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let seen = Seen::default();

    let edits = join_all((0..CLIENTS).map(|client| add_line(&article, &author, client, &seen)));
    let replaced = seen.while_reading(&article, edits).await;

    let distinct: BTreeSet<_> = replaced.iter().collect();
    assert_eq!(distinct.len(), CLIENTS, "each version is replaced by one client: {replaced:?}");
    let last = article.seen().await.data;
    assert_eq!(last.version, CLIENTS as u64 + 1);
    let mut lines: Vec<_> = last.content.as_str().lines().skip(1).collect();
    lines.sort_unstable();
    let mut expected: Vec<_> = (0..CLIENTS).map(line).collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn edits_without_if_match_all_succeed_one_after_the_other() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = api.someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let seen = Seen::default();

    let edits = join_all((0..CLIENTS).map(async |client| {
        let patch = json!({ "title": line(client) });
        let edited =
            until_done(async || article.patch(&author, patch.clone()).await).await.unwrap();
        assert_eq!(edited.data.title.as_str(), line(client));
        seen.note(&edited);
        edited.etag().unwrap().to_owned()
    }));
    let tags = seen.while_reading(&article, edits).await;

    let expected: BTreeSet<_> = (2..=CLIENTS + 1).map(|version| format!("\"{version}\"")).collect();
    assert_eq!(tags.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(article.version().await, 21);
}

/// Reads, adds a line, and writes if the version is unchanged, until that succeeds. Returns the tag
/// of the replaced version.
async fn add_line(article: &Article, author: &Client, client: usize, seen: &Seen) -> String {
    loop {
        let read = author.get_article(article.id, None).await.unwrap();
        seen.note(&read);
        let content = format!("{}\n{}", read.data.content, line(client));
        let content = Content::try_from(content).unwrap();
        let patch = ArticlePatch { content: content.clone().into(), ..ArticlePatch::default() };
        match author.patch_article(article.id, &patch, read.etag()).await {
            Ok(edited) => {
                assert_eq!(edited.data.content, content);
                seen.note(&edited);
                return read.etag().unwrap().to_owned();
            }
            refused => drop(refused.refused(412, "PRECONDITION_FAILED")),
        }
    }
}

fn line(client: usize) -> String {
    format!("This is the line of client {client}")
}

/// The content under each entity tag.
#[derive(Default)]
struct Seen(Mutex<BTreeMap<String, ArticleView>>);

impl Seen {
    fn note(&self, answer: &ApiResponse<ArticleView>) {
        let (tag, shown) = (answer.etag().unwrap(), &answer.data);
        assert_eq!(tag, format!("\"{}\"", shown.version));
        let mut seen = self.0.lock().unwrap();
        let first = seen.entry(tag.to_owned()).or_insert_with(|| shown.clone());
        assert_eq!(first, shown, "one tag stands for two contents");
    }

    /// Reads the article concurrently while a future runs.
    async fn while_reading<T>(&self, article: &Article, what: impl Future<Output = T>) -> T {
        let over = AtomicBool::new(false);
        let readers = join_all((0..READERS).map(async |_| {
            while !over.load(Ordering::Relaxed) {
                self.note(&article.seen().await);
            }
        }));
        let done = async {
            let done = what.await;
            over.store(true, Ordering::Relaxed);
            done
        };
        tokio::join!(done, readers).0
    }
}
