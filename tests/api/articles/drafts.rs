//! Articles: drafts and their readers, approvals, publishing, share links.

use domain::articles::{ArticleDraft, ArticleStatus};
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    AUDIENCE, Article, Refused, fresh_platform, read, shared_platform, someone, unique,
};
use emulator::options::Options;

#[tokio::test]
async fn a_draft_is_never_cached_and_a_published_article_is_revalidated() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = api.someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let draft = author.get_article(article.id, None).await.unwrap();
    assert_eq!(draft.data.status, ArticleStatus::Draft);
    assert_eq!(draft.header("cache-control"), Some("no-store"));
    // A caller without permission does not learn whether it knows the version.
    let known = article.get().header("if-none-match", draft.etag().unwrap()).send().await;
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

    article.patch(&article.editor, json!({ "status": "DRAFT" })).await.unwrap();
    article.get().header("if-none-match", &tag).send().await.error(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_share_link_opens_a_draft_until_a_new_link_replaces_it() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = api.someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let with = async |token: &str| api.client().get_article(article.id, Some(token)).await;
    for nothing in ["", "x", "\0", &"x".repeat(4_000)] {
        with(nothing).await.refused(404, "NOT_FOUND");
    }

    let first = author.post_share_link(article.id).await.unwrap();
    let token = &first.data.token;
    let url = format!("{}{}?share={token}", inside.platform().api_url(), article.path());
    assert_eq!(first.data.url, url);
    assert_eq!(first.header("cache-control"), Some("no-store"));
    let read = with(token).await.unwrap();
    assert_eq!(read.header("cache-control"), Some("no-store"));
    let elsewhere = Article::new(&api, inside, &author).await;
    let elsewhere = api.client().get_article(elsewhere.id, Some(token)).await;
    elsewhere.refused(404, "NOT_FOUND");

    let second = article.editor.post_share_link(article.id).await.unwrap();
    with(token).await.refused(404, "NOT_FOUND");
    with(&second.data.token).await.unwrap();
}

#[tokio::test]
async fn the_token_of_a_share_link_is_neither_stored_nor_logged() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let (inside, control) = (api.inside().unwrap(), api.control().unwrap());
    let author = api.someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let token = &author.post_share_link(article.id).await.unwrap().data.token;
    api.client().get_article(article.id, Some(token)).await.unwrap();

    let stored = control.item("ArticlesTable", article.id).await;
    assert!(stored["shareLink"]["tokenHash"].is_string(), "{stored}");
    let ledger = control.table("LedgerTable").await;
    let logs = control.logs().await;
    assert!(!logs.is_empty());
    for held in [stored, json!(ledger), json!(logs)] {
        assert!(!held.to_string().contains(token), "{held}");
    }
}

#[tokio::test]
async fn an_invalid_token_is_401_even_for_a_public_article() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let article = Article::new(&api, inside, &api.someone(inside, "WRITER")).await;
    article.approve_twice(inside).await;
    article.publish().await;
    api.client().get_article(article.id, None).await.unwrap();
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
async fn an_article_is_published_after_two_others_approved_its_version() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = api.someone(inside, "EDITOR");
    let article = Article::new(&api, inside, &author).await;
    let publish = async |given: &str| {
        let refused = article.patch(&author, json!({ "status": "PUBLISHED" })).await;
        let [field_error] = &refused.refused(422, "APPROVALS_MISSING").field_errors[..] else {
            panic!("expected one violation")
        };
        assert_eq!((&*field_error.field, &*field_error.message), ("/status", given));
    };
    publish("0 of 2 approvals are given").await;
    author.put_approval(article.id, None).await.refused(422, "OWN_ARTICLE");

    let [first, second] = ["EDITOR"; 2].map(|role| api.someone(inside, role));
    for _ in 0..2 {
        first.put_approval(article.id, None).await.unwrap();
    }
    assert_eq!(article.version().await, 2, "an approval counts once");
    publish("1 of 2 approvals are given").await;

    // The content changes while the second editor reads, so that the version to approve is gone.
    let read = second.get_article(article.id, None).await.unwrap();
    article.patch(&author, json!({ "content": "They shine." })).await.unwrap();
    let stale = second.put_approval(article.id, read.etag()).await;
    stale.refused(412, "PRECONDITION_FAILED");
    assert_eq!(article.seen().await.data.approvals, 0, "an edit clears the approvals");

    article.approve_twice(inside).await;
    let with_new_words = json!({ "status": "PUBLISHED", "title": "How lamps glow" });
    article.patch(&author, with_new_words).await.refused(422, "APPROVALS_MISSING");
    article.publish().await;
    let edited = article.patch(&author, json!({ "title": "How lamps glow" })).await.unwrap().data;
    assert_eq!((edited.status, edited.approvals), (ArticleStatus::Draft, 0));
}

#[tokio::test]
async fn an_editor_cannot_approve_a_draft_that_has_their_own_words() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = api.someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let [rewriter, other] = ["EDITOR"; 2].map(|role| api.someone(inside, role));
    let approve = async || rewriter.put_approval(article.id, None).await;
    // The rewriting clears earlier approvals.
    approve().await.unwrap();
    article.patch(&rewriter, json!({ "content": "Kettles whistle." })).await.unwrap();
    assert_eq!(article.seen().await.data.approvals, 0);
    approve().await.refused(422, "OWN_ARTICLE");
    other.put_approval(article.id, None).await.unwrap();
    let publish = json!({ "status": "PUBLISHED" });
    article.patch(&rewriter, publish.clone()).await.refused(422, "APPROVALS_MISSING");

    // Another editor's comma does not end the rewriter's authorship.
    article.patch(&other, json!({ "content": "Kettles, whistle." })).await.unwrap();
    approve().await.refused(422, "OWN_ARTICLE");
    other.put_approval(article.id, None).await.refused(422, "OWN_ARTICLE");
    article.patch(&author, json!({ "title": "By another author" })).await.unwrap();
    approve().await.refused(422, "OWN_ARTICLE");

    article.patch(&author, json!({ "content": "Entirely of mine" })).await.unwrap();
    approve().await.unwrap();
    other.put_approval(article.id, None).await.unwrap();
    assert_eq!(article.patch(&rewriter, publish).await.unwrap().data.approvals, 2);
}

#[tokio::test]
async fn a_rewritten_published_article_is_a_draft_until_approved_again() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = api.someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    for (by, words) in [(&author, "Buy my lamps."), (&article.editor, "Buy no lamps.")] {
        article.approve_twice(inside).await;
        article.publish().await;
        article.get().send().await.data(200);
        let kept = json!({ "content": words, "status": "PUBLISHED" });
        let refused = article.patch(by, kept).await.unwrap_err();
        assert!(["FORBIDDEN", "APPROVALS_MISSING"].contains(&refused.code().unwrap()));
        article.get().send().await.data(200);
        let rewritten = article.patch(by, json!({ "content": words })).await.unwrap().data;
        assert_eq!((rewritten.status, rewritten.approvals), (ArticleStatus::Draft, 0));
        article.get().send().await.error(404, "NOT_FOUND");
        let publish = article.patch(&article.editor, json!({ "status": "PUBLISHED" })).await;
        publish.refused(422, "APPROVALS_MISSING");
    }
}

#[tokio::test]
async fn an_author_may_send_only_the_current_status() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = api.someone(inside, "WRITER");
    let article = Article::new(&api, inside, &author).await;
    let patch = |status| json!({ "title": "A new title", "status": status });
    article.patch(&author, patch("DRAFT")).await.unwrap();
    article.patch(&author, patch("PUBLISHED")).await.refused(403, "FORBIDDEN");
    assert_eq!(article.version().await, 2);
}

#[tokio::test]
async fn an_invalid_draft_or_change_is_400_with_all_violations() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let article = Article::new(&api, inside, &api.client().with_token(&author)).await;
    let path = article.path();
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
        let changed = api.patch(&path, &body).token(&author).send().await;
        assert_eq!(changed.error_fields(400, "INVALID_REQUEST"), fields, "{body}");
    }
    let nothing = api.patch(&path, &json!({})).token(&author).send().await;
    assert_eq!(nothing.error_fields(400, "INVALID_REQUEST"), [""]);
    let removed = api.patch(&path, &json!({ "status": null })).token(&author).send().await;
    assert_eq!(removed.error_fields(400, "INVALID_REQUEST"), ["/status"]);
}

#[tokio::test]
async fn a_change_is_json_or_a_merge_patch_and_otherwise_415() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = someone(inside, "WRITER");
    let article = Article::new(&api, inside, &api.client().with_token(&author)).await;
    for (media_type, status) in [
        ("application/merge-patch+json", 200),
        ("application/json; charset=utf-8", 200),
        ("text/plain", 415),
    ] {
        let call = api.call(Method::PATCH, &article.path()).header("content-type", media_type);
        let answer = call.body(r#"{"title":"A new title"}"#).token(&author).send().await;
        assert_eq!(answer.status, status, "{media_type}: {answer:?}");
    }
}

#[tokio::test]
async fn a_repeated_draft_is_replayed_and_a_taken_id_is_409() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let author = api.someone(inside, "WRITER");
    let id = Uuid::new_v4();
    let draft: ArticleDraft =
        read(json!({ "articleId": id, "title": "How lamps shine", "content": "They glow." }));
    let key = unique("key");
    let first = author.post_article(&draft, Some(&key)).await.unwrap();
    assert_eq!(first.data.article_id, id.into());
    assert_eq!(first.header("location"), Some(&*format!("/articles/{id}")));
    assert_eq!(first.etag(), Some("\"1\""));
    let again = author.post_article(&draft, Some(&key)).await.unwrap();
    assert!(again.is_replayed());
    assert_eq!((again.status, again.data), (first.status, first.data));
    let taken = author.post_article(&draft, None).await;
    assert_eq!(taken.refused_fields(409, "ID_TAKEN"), ["/articleId"]);
}

#[tokio::test]
async fn a_missing_article_is_404_for_callers_with_the_role() {
    let api = shared_platform().await;
    let Some(inside) = api.inside() else { return };
    let (editor, nothing) = (api.someone(inside, "EDITOR"), Uuid::new_v4().into());
    let patch = read(json!({ "title": "A new title" }));
    editor.get_article(nothing, None).await.refused(404, "NOT_FOUND");
    editor.patch_article(nothing, &patch, None).await.refused(404, "NOT_FOUND");
    editor.put_approval(nothing, None).await.refused(404, "NOT_FOUND");
    editor.post_share_link(nothing).await.refused(404, "NOT_FOUND");
}
