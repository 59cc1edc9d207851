//! Articles: drafts and who sees them, approvals, publishing, share links.

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{AUDIENCE, Api, Article, Inside, own, shared, someone, unique};
use local::options::Options;

#[tokio::test]
async fn a_draft_is_kept_by_nobody_and_a_published_article_by_whoever_asks_again() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let draft = article.get().token(&author).send().await;
    assert_eq!(draft.data(200)["status"], "DRAFT");
    assert_eq!(draft.header("cache-control"), "no-store");
    // Whoever may not read it does not learn either whether they know its version.
    let tag = draft.header("etag").to_owned();
    let known = article.get().header("if-none-match", &tag).send().await;
    assert_eq!(known.header("etag"), "");
    known.error(404, "NOT_FOUND");

    article.approve_twice(inside).await;
    article.publish().await;
    let published = article.get().send().await;
    assert_eq!(published.header("cache-control"), "public, no-cache");
    assert_eq!(published.data(200)["approvals"], 2);
    let tag = published.header("etag").to_owned();
    let again = article.get().header("if-none-match", &tag).send().await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, tag.as_str()));
    assert_eq!(again.header("cache-control"), "public, no-cache");

    let withdraw = article.patch(&json!({ "status": "DRAFT" })).token(&article.editor);
    withdraw.send().await.data(200);
    article.get().header("if-none-match", &tag).send().await.error(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_share_link_opens_a_draft_until_there_is_a_new_one() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let with = async |token: &str| api.get(&format!("{}?share={token}", article.path)).send().await;
    for nothing in ["", "x", "%00", &"x".repeat(4_000)] {
        with(nothing).await.error(404, "NOT_FOUND");
    }

    let answer = article.share_link().token(&author).send().await;
    let first = answer.data(201);
    let token = first["token"].as_str().unwrap();
    let url = format!("{}{}?share={token}", inside.platform().api_url(), article.path);
    assert_eq!(first["url"], url);
    assert_eq!(answer.header("cache-control"), "no-store");
    let read = with(token).await;
    assert_eq!(read.header("cache-control"), "no-store");
    read.data(200);
    let elsewhere = Article::new(&api, inside, &author).await;
    let elsewhere = api.get(&format!("{}?share={token}", elsewhere.path)).send().await;
    elsewhere.error(404, "NOT_FOUND");

    let second = article.share_link().token(&article.editor).send().await.data(201);
    with(token).await.error(404, "NOT_FOUND");
    with(second["token"].as_str().unwrap()).await.data(200);
}

#[tokio::test]
async fn the_token_of_a_share_link_is_neither_stored_nor_logged() {
    let Some(api) = own(Options::default()).await else { return };
    let (inside, control) = (api.inside().unwrap(), api.control().unwrap());
    let author = someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let link = article.share_link().token(&author).key(&unique("key")).send().await.data(201);
    let token = link["token"].as_str().unwrap();
    api.get(&format!("{}?share={token}", article.path)).send().await.data(200);

    let stored = control.item("ArticlesTable", article.id()).await;
    assert!(stored["shareLink"]["tokenHash"].is_string(), "{stored}");
    let ledger = control.table("LedgerTable").await;
    let logs = control.logs().await;
    assert!(!logs.is_empty());
    for held in [stored, json!(ledger), json!(logs)] {
        assert!(!held.to_string().contains(token), "{held}");
    }
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_not_taken_for_none() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    article.approve_twice(inside).await;
    article.publish().await;
    article.get().send().await.data(200);
    let nobody = Uuid::new_v4().to_string();
    let another_issuer = inside.token_from("https://evil.example.com", AUDIENCE);
    for credentials in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer garbage".to_owned(),
        "Basic d3JpdGVyOnBhc3N3b3Jk".to_owned(),
        format!("Bearer {}", inside.token_ending_in(-120, &nobody, &["CUSTOMER"])),
        format!("Bearer {another_issuer}"),
    ] {
        let answer = article.get().header("authorization", &credentials).send().await;
        answer.error(401, "UNAUTHORIZED");
        assert!(answer.header("www-authenticate").starts_with("Bearer "), "{credentials}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn an_article_is_published_once_two_others_have_approved_it_as_it_is() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "EDITOR");
    let article = Article::new(&api, inside, &author).await;
    let publish = async |given: &str| {
        let publish = json!({ "status": "PUBLISHED" });
        let refused = article.patch(&publish).token(&author).send().await;
        let error = refused.error(422, "APPROVALS_MISSING");
        let detail = json!({ "field": "/status", "message": given });
        assert_eq!(error["details"], json!([detail]));
    };
    publish("0 of 2 approvals are given").await;
    article.approval().token(&author).send().await.error(422, "OWN_ARTICLE");

    let [first, second] = [someone(inside, "EDITOR"), someone(inside, "EDITOR")];
    for _ in 0..2 {
        let approved = article.approval().token(&first).send().await;
        assert_eq!((approved.status, approved.body.len()), (204, 0));
    }
    assert_eq!(article.version().await, 2, "an approval counts once");
    publish("1 of 2 approvals are given").await;

    // The words change while the second editor still reads: what they approve of is not there.
    let read = article.get().token(&second).send().await.header("etag").to_owned();
    article.patch(&json!({ "content": "They shine." })).token(&author).send().await.data(200);
    let stale = article.approval().token(&second).header("if-match", &read).send().await;
    stale.error(412, "PRECONDITION_FAILED");
    assert_eq!(article.seen().await.data(200)["approvals"], 0, "an edit clears the approvals");

    article.approve_twice(inside).await;
    let with_new_words = json!({ "status": "PUBLISHED", "title": "How lamps glow" });
    let refused = article.patch(&with_new_words).token(&author).send().await;
    refused.error(422, "APPROVALS_MISSING");
    article.publish().await;
    let edited = article.patch(&json!({ "title": "How lamps glow" })).token(&author).send().await;
    let edited = edited.data(200);
    assert_eq!((&edited["status"], &edited["approvals"]), (&json!("PUBLISHED"), &json!(0)));
}

#[tokio::test]
async fn an_author_may_send_the_status_that_is_there_and_no_other() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    for (status, answered) in [("DRAFT", 200), ("PUBLISHED", 403)] {
        let patch = json!({ "title": "A new title", "status": status });
        let answer = article.patch(&patch).token(&author).send().await;
        assert_eq!(answer.status, answered, "{answer:?}");
    }
    assert_eq!(article.version().await, 2);
}

#[tokio::test]
async fn a_draft_or_change_that_cannot_be_is_refused_with_everything_that_is_wrong() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let bad: [(Value, &[&str]); 5] = [
        (
            json!({ "title": "Lamp", "content": "", "status": "READY", "authorId": 1 }),
            &["/authorId", "/content", "/status", "/title"],
        ),
        (
            json!({ "title": "x".repeat(41), "content": "x".repeat(20_001) }),
            &["/content", "/title"],
        ),
        (json!({ "title": "A\nlamp", "content": 7 }), &["/content", "/title"]),
        (
            json!({ "title": null, "content": null, "status": "draft" }),
            &["/content", "/status", "/title"],
        ),
        (json!([]), &[""]),
    ];
    for (body, fields) in bad {
        let drafted = api.post("/articles", &body).token(&author).send().await;
        assert_eq!(drafted.error_fields(400, "INVALID_REQUEST"), fields, "{body}");
        let changed = article.patch(&body).token(&author).send().await;
        assert_eq!(changed.error_fields(400, "INVALID_REQUEST"), fields, "{body}");
    }
    let nothing = article.patch(&json!({})).token(&author).send().await;
    assert_eq!(nothing.error_fields(400, "INVALID_REQUEST"), [""]);
    let removed = article.patch(&json!({ "status": null })).token(&author).send().await;
    assert_eq!(removed.error_fields(400, "INVALID_REQUEST"), ["/status"]);
}

#[tokio::test]
async fn a_change_is_a_merge_patch_by_either_name_and_nothing_else() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    for (media_type, status) in [
        ("application/merge-patch+json", 200),
        ("application/json; charset=utf-8", 200),
        ("text/plain", 415),
    ] {
        let call = api.call(Method::PATCH, &article.path).header("content-type", media_type);
        let answer = call.body(r#"{"title":"A new title"}"#).token(&author).send().await;
        assert_eq!(answer.status, status, "{media_type}: {answer:?}");
    }
}

#[tokio::test]
async fn a_draft_that_comes_again_is_the_same_draft_and_an_id_is_given_once() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let id = Uuid::new_v4().to_string();
    let draft = json!({ "articleId": id, "title": "How lamps shine", "content": "They glow." });
    let post = |key: &str| api.post("/articles", &draft).token(&author).key(key);
    let key = unique("key");
    let first = post(&key).send().await;
    assert_eq!(first.data(201)["articleId"], id);
    assert_eq!(first.header("location"), format!("/articles/{id}"));
    assert_eq!(first.header("etag"), "\"1\"");
    let again = post(&key).send().await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let taken = post(&unique("key")).send().await;
    assert_eq!(taken.error_fields(409, "ID_TAKEN"), ["/articleId"]);
}

#[tokio::test]
async fn what_does_not_exist_is_404_to_those_with_the_role() {
    let api = shared().await;
    let Some(inside) = api.inside() else { return };
    let nothing = nothing(&api, inside);
    for call in [
        nothing.get(),
        nothing.patch(&json!({ "title": "A new title" })),
        nothing.approval(),
        nothing.share_link(),
    ] {
        call.token(&nothing.editor).send().await.error(404, "NOT_FOUND");
    }
}

fn nothing(api: &Api, inside: &Inside) -> Article {
    let path = format!("/articles/{}", Uuid::new_v4());
    Article { api: api.clone(), path, editor: someone(inside, "EDITOR") }
}
