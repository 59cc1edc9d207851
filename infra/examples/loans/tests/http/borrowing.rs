//! Books and loans: the behaviour that the plain service has too.

use futures::future::join_all;
use serde_json::json;
use testkit::{eventually, unique, when};

use crate::service::{Person, fresh, loan_of, new_book, shared};

#[tokio::test]
async fn a_book_has_an_entity_tag_and_an_unchanged_one_is_304() {
    let api = shared().await;
    let path = format!("/books/{}", new_book(&api, 2));

    let shown = api.get(&path).send().await;
    let book = shown.data(200);
    assert_eq!((&book["title"], &book["available"]), (&json!("Emma"), &json!(2)));

    let tag = shown.header("etag");
    let unchanged = api.get(&path).header("if-none-match", tag).send().await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0), "{unchanged:?}");
    assert_eq!(unchanged.header("etag"), tag);
}

#[tokio::test]
async fn an_unknown_book_is_404_and_an_id_that_is_no_uuid_400() {
    let api = shared().await;
    let unknown = format!("/books/{}", uuid::Uuid::new_v4());
    api.get(&unknown).send().await.error(404, "NOT_FOUND");
    api.get("/books/emma").send().await.error(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn of_thirty_members_who_want_the_last_copy_one_gets_201_and_the_others_409() {
    let api = shared().await;
    let book_id = new_book(&api, 1);

    let requests = (0..30).map(async |_| {
        let (token, key) = (Person::new().member(), unique("key"));
        let call = async || {
            let call = api.post("/loans", &loan_of(&book_id));
            call.token(&token).key(&key).send().await
        };
        api.until(&[201, 409], call).await
    });
    let mut answers = join_all(requests).await;

    answers.sort_by_key(|answer| answer.status);
    answers[0].data(201);
    for refused in &answers[1..] {
        refused.error(409, "NO_COPY_LEFT");
    }
    let book = api.get(&format!("/books/{book_id}")).send().await.data(200);
    assert_eq!(book["available"], 0);
}

#[tokio::test]
async fn a_repeated_key_is_the_same_loan_and_with_another_book_422() {
    let api = shared().await;
    let (token, key) = (Person::new().member(), unique("key"));
    let (book_id, other) = (new_book(&api, 2), new_book(&api, 1));
    let borrow =
        async |book: &str| api.post("/loans", &loan_of(book)).token(&token).key(&key).send().await;

    let first = borrow(&book_id).await.data(201);
    let again = borrow(&book_id).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.data(201), first);
    borrow(&other).await.error(422, "IDEMPOTENCY_KEY_REUSED");

    let book = api.get(&format!("/books/{book_id}")).send().await.data(200);
    assert_eq!(book["available"], 1);
}

#[tokio::test]
async fn a_loan_without_a_token_of_the_trusted_issuer_is_401_and_without_the_role_403() {
    let api = shared().await;
    let (book_id, ada) = (new_book(&api, 1), Person::new());
    let request = || api.post("/loans", &loan_of(&book_id)).key("key");

    let wrong = ada.token("https://id.example.org", "central", "MEMBER");
    let refused = request().token(&wrong).send().await;
    assert_eq!(refused.status, 401, "{refused:?}");
    assert_eq!(request().send().await.status, 401);

    let baker = ada.token("https://id.example.com", "central", "BAKER");
    request().token(&baker).send().await.error(403, "FORBIDDEN");
}

#[tokio::test]
async fn a_book_of_another_library_is_404() {
    let api = shared().await;
    let book_id = new_book(&api, 1);
    let elsewhere = Person::new().token("https://id.example.com", "east", "MEMBER");
    let refused = api.post("/loans", &loan_of(&book_id)).token(&elsewhere).key("key").send().await;
    refused.error(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_loan_is_mailed_once_although_its_event_arrives_twice() {
    let api = fresh().await;
    let control = api.control().expect("a platform in this process");
    let (book_id, ada) = (new_book(&api, 1), Person::new());

    let loan = api.post("/loans", &loan_of(&book_id)).token(&ada.member()).key("key").send().await;
    let loan_id = loan.data(201)["loanId"].clone();
    let mail = control.mail(&ada.email(), "Your loan").await;
    assert!(mail["text"].as_str().expect("a text").contains("Emma"), "{mail}");

    // The message is deleted once its event is remembered.
    let emptied = async || {
        let empty = async || {
            let queue = control.queue("LoanEventsQueue").await;
            when(queue, |queue| queue["visible"] == 0 && queue["inFlight"] == 0)
        };
        eventually("the queue to be empty", empty).await
    };
    emptied().await;
    let events = control.events("LoanMade").await;
    let [event] = &events[..] else { panic!("not one event: {events:?}") };
    assert_eq!(event["data"]["loanId"], loan_id);
    control.send("LoanEventsQueue", event).await;
    emptied().await;
    assert_eq!(control.mails(&ada.email()).await.len(), 1);
}
