//! Many at one article at the same time: no edit is lost, and no entity tag stands for two
//! contents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use serde_json::json;

use crate::harness::{Answer, Article, shared, someone, until_done};

/// How many edit.
const CLIENTS: usize = 20;
/// How many read meanwhile.
const READERS: usize = 3;

#[tokio::test]
async fn of_those_who_name_the_same_version_one_wins_and_no_line_is_lost() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let seen = Seen::default();

    let edits = join_all((0..CLIENTS).map(|client| add_line(&article, &author, client, &seen)));
    let replaced = seen.while_reading(&article, edits).await;

    let distinct: BTreeSet<_> = replaced.iter().collect();
    assert_eq!(distinct.len(), CLIENTS, "each version is replaced by one client: {replaced:?}");
    let last = article.seen().await.data(200);
    assert_eq!(last["version"], CLIENTS + 1);
    let mut lines: Vec<_> = last["content"].as_str().unwrap().lines().skip(1).collect();
    lines.sort_unstable();
    let mut expected: Vec<_> = (0..CLIENTS).map(line).collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn those_who_name_no_version_edit_one_after_the_other() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let seen = Seen::default();

    let edits = join_all((0..CLIENTS).map(async |client| {
        let patch = json!({ "title": line(client) });
        let edited = until_done(async || article.patch(&patch).token(&author).send().await).await;
        assert_eq!(edited.data(200)["title"], patch["title"]);
        seen.note(&edited);
        edited.header("etag").to_owned()
    }));
    let tags = seen.while_reading(&article, edits).await;

    let expected: BTreeSet<_> = (2..=CLIENTS + 1).map(|version| format!("\"{version}\"")).collect();
    assert_eq!(tags.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(article.version().await, 21);
}

/// Reads, adds a line, and writes if the version is still the one that was read, until it is done;
/// gives the tag of the version that was replaced.
async fn add_line(article: &Article, author: &str, client: usize, seen: &Seen) -> String {
    loop {
        let read = article.get().token(author).send().await;
        seen.note(&read);
        let content = format!("{}\n{}", read.data(200)["content"].as_str().unwrap(), line(client));
        let tag = read.header("etag").to_owned();
        let patch = json!({ "content": content });
        let edit = article.patch(&patch).token(author).header("if-match", &tag);
        let answer = edit.send().await;
        match answer.status {
            200 => {
                assert_eq!(answer.data(200)["content"], content.as_str());
                seen.note(&answer);
                return tag;
            }
            _ => drop(answer.error(412, "PRECONDITION_FAILED")),
        }
    }
}

fn line(client: usize) -> String {
    format!("This is the line of client {client}")
}

/// What was shown under each entity tag.
#[derive(Default)]
struct Seen(Mutex<BTreeMap<String, Vec<u8>>>);

impl Seen {
    fn note(&self, answer: &Answer) {
        let tag = answer.header("etag").to_owned();
        assert_eq!(tag, format!("\"{}\"", answer.data(200)["version"]));
        let mut seen = self.0.lock().unwrap();
        let first = seen.entry(tag).or_insert_with(|| answer.body.to_vec());
        assert_eq!(*first, answer.body, "one tag, two contents");
    }

    /// Lets others read for as long as something goes on.
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
