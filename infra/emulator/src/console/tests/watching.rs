//! The list, details, events, charts and the page.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::running;

#[tokio::test]
async fn a_request_is_listed_and_shown_by_both_of_its_ids() {
    let running = running().await;
    running.record("id-1", "-");

    let (status, page) = running.get("/activity/requests?status=4xx&limit=10&text=").await;
    assert_eq!((status, &page["requests"][0]["code"]), (200, &json!("OUT_OF_STOCK")), "{page}");
    for id in ["id-1", "request-id-1"] {
        let (status, detail) = running.get(&format!("/activity/requests/{id}")).await;
        assert_eq!((status, &detail["id"]), (200, &json!("id-1")));
        assert!(!detail.to_string().contains("hush"), "{detail}");
        let (status, _) = running.get(&format!("/activity/requests/{id}/journey")).await;
        assert_eq!(status, 200);
    }
}

#[tokio::test]
async fn unknown_ids_are_404_and_impossible_filters_400() {
    let running = running().await;
    for path in [
        "requests/none",
        "requests/none/journey",
        "requests/none/curl",
        "requests/none/test",
        "invocations/none",
        "invocations/none/journey",
        "messages/none",
    ] {
        let (status, answer) = running.get(&format!("/activity/{path}")).await;
        assert_eq!(status, 404, "{path}");
        assert!(answer["error"].as_str().unwrap().contains("none"), "{answer}");
    }
    for query in [
        "requests?status=4x",
        "requests?status=99",
        "requests?limit=0",
        "requests?limit=1001",
        "requests?limit=x",
        "requests?colour=red",
        "requests?refusedAt=nowhere",
        &format!("requests?text={}", "x".repeat(201)),
        "charts?minutes=0",
        "charts?minutes=61",
        "charts?hours=1",
    ] {
        let (status, answer) = running.get(&format!("/activity/{query}")).await;
        assert_eq!(status, 400, "{query}");
        assert!(answer["error"].is_string(), "{query}: {answer}");
    }
}

#[tokio::test]
async fn changes_and_counts_are_sent_as_events() {
    let running = running().await;
    let answer = running.client.get(format!("{}/activity/events", running.url)).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    running.record("id-1", "-");

    let mut chunks = Box::pin(futures::stream::unfold(answer, |mut answer| async move {
        let chunk = answer.chunk().await.unwrap()?;
        Some((chunk, answer))
    }));
    let mut text = String::new();
    while !(text.contains("event: requests\ndata: [{") && text.contains("event: counts\ndata: {")) {
        let chunk = timeout(Duration::from_secs(30), chunks.next()).await;
        text.push_str(str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
    }
    assert!(text.contains("OUT_OF_STOCK") && !text.contains("hush"), "{text}");
    assert!(
        text.contains("\"EmailsQueue\":{\"delayed\":0,\"inFlight\":0,\"visible\":0}"),
        "{text}"
    );
}

#[tokio::test]
async fn the_seventeenth_listener_is_503_until_another_ends() {
    let running = running().await;
    let listen = || running.client.get(format!("{}/activity/events", running.url)).send();
    let mut open = Vec::new();
    for _ in 0..16 {
        let answer = listen().await.unwrap();
        assert_eq!(answer.status(), 200);
        open.push(answer);
    }
    let refused = listen().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.json::<Value>().await.unwrap()["error"].is_string());

    drop(open);
    // The server notices the end of a connection when it writes to it or reads from it.
    for _ in 0..400 {
        if listen().await.unwrap().status() == 200 {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the ended listeners are still counted");
}

#[tokio::test]
async fn charts_have_one_value_per_step_and_the_requests_of_now() {
    let running = running().await;
    running.record("id-1", "-");
    let (status, charts) = running.get("/activity/charts?minutes=10").await;
    assert_eq!((status, &charts["stepS"]), (200, &json!(5)));
    let counts = charts["total"]["count"].as_array().unwrap();
    assert_eq!((counts.len(), counts.iter().filter_map(Value::as_u64).sum::<u64>()), (120, 1));
    assert_eq!(charts["routes"], json!(["POST /orders"]));
}

#[tokio::test]
async fn a_browser_gets_the_page_and_a_program_json() {
    let running = running().await;
    let page = running.client.get(&running.url).header("accept", "text/html,*/*;q=0.8").send();
    let page = page.await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let index: Value = running.client.get(&running.url).send().await.unwrap().json().await.unwrap();
    assert_eq!(index["activity"]["requests"], "/activity/requests");
    let missing = running.client.get(format!("{}/console/none.js", running.url)).send().await;
    assert_eq!(missing.unwrap().status(), 404);
    let outside = running.client.get(format!("{}/console/../mod.rs", running.url)).send().await;
    assert_eq!(outside.unwrap().status(), 404);
    let foreign = running.client.get(format!("{}/activity/requests", running.url));
    let foreign = foreign.header("origin", "https://attacker.example").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
}
