//! The API over HTTP: on the emulator, or the deployment at `API_URL`.

use emulator::options::Options;
use emulator::{BoxError, NoApplication, Platform};
use serde_json::json;
use testkit::{Suite, SystemUnderTest, eventually, unique, when};

struct Notes;

impl SystemUnderTest for Notes {
    type Running = Platform;

    async fn start(&self, options: Options) -> Result<Platform, BoxError> {
        Ok(Platform::start(options, &NoApplication).await?)
    }
}

static NOTES: Suite<Notes> = Suite::new(Notes);

#[tokio::test]
async fn a_note_is_written_once_per_key_and_its_words_are_counted() {
    let api = NOTES.shared_platform().await;
    let (note, key) = (json!({ "text": "Buy bread and milk." }), unique("note"));

    let created = api.post("/notes", &note).key(&key).send().await.data(201);
    let repeated = api.post("/notes", &note).key(&key).send().await.data(201);
    assert_eq!(repeated["noteId"], created["noteId"]);

    let path = format!("/notes/{}", created["noteId"].as_str().unwrap());
    let counted = eventually("the words to be counted", async || {
        when(api.get(&path).send().await.data(200), |note| {
            note["words"] == 4
        })
    });
    assert_eq!(counted.await["text"], note["text"]);
}

#[tokio::test]
async fn an_unknown_note_is_404() {
    let api = NOTES.shared_platform().await;
    let response = api
        .get("/notes/00000000-0000-7000-8000-000000000000")
        .send()
        .await;
    assert_eq!(response.status, 404);
}
