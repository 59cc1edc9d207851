//! Idempotency keys, conflicts and lost responses.

use super::*;

#[tokio::test]
async fn a_repeated_key_replays_the_first_response_byte_for_byte() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    let event = with(request("hello"), "/headers/idempotency-key", "k-1");
    let first = ask(&handler, &event).await;
    let again = ask(&handler, &with(event, "/headers/x-request-id", "req-2")).await;
    assert_eq!((again.status, &again.raw), (201, &first.raw));
    assert_eq!(again.headers["location"], first.headers["location"]);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["x-request-id"], "req-2");
    assert!(first.headers.get("idempotency-replayed").is_none());
    assert_eq!(
        (recorder.items_of(OUTBOX).len(), recorder.items_of(IDEMPOTENCY_KEYS).len()),
        (1, 1)
    );
    assert!(again.deferred.tertiary.count() == 0);
}

#[tokio::test]
async fn a_repeated_key_with_another_body_is_422() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    ask(&handler, &with(request("one"), "/headers/idempotency-key", "k-1")).await;
    let other = ask(&handler, &with(request("two"), "/headers/idempotency-key", "k-1")).await;
    assert_eq!((other.status, other.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    let event = with(request("two"), "/headers/idempotency-key", "k-1");
    let stranger = with(event, "/requestContext/authorizer/lambda/sub", "bob");
    assert_eq!(ask(&handler, &stranger).await.status, 201, "a key belongs to its caller");
}

#[tokio::test]
async fn a_response_is_replayed_even_if_the_request_would_be_rejected_now() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    let shelf = serde_dynamo::to_item(Shelf { room: 1 }).unwrap();
    recorder.store(NOTES, Key::new("shelf"), shelf);
    let event = with(request("last"), "/headers/idempotency-key", "k-1");
    let first = ask(&handler, &event).await;
    assert_eq!((ask(&handler, &event).await.raw, first.status), (first.raw, 201));
    let refused = ask(&handler, &request("one more")).await;
    assert_eq!((refused.status, refused.code()), (422, "SHELF_FULL"));
    assert_eq!(refused.body["error"]["details"][0]["field"], "/text");
}

#[tokio::test]
async fn a_response_is_replayed_even_if_the_facts_are_gone_and_only_for_its_key() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    let keyed = |key: &str| with(request("hello"), "/headers/idempotency-key", key);
    let first = ask(&handler, &keyed("k-1")).await;
    handler.endpoint.gone.store(true, Ordering::SeqCst);
    let again = ask(&handler, &keyed("k-1")).await;
    assert_eq!((again.status, &again.raw), (201, &first.raw));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    for event in [keyed("k-2"), request("hello")] {
        let refused = ask(&handler, &event).await;
        assert_eq!((refused.status, refused.code()), (404, "NOT_FOUND"));
    }
    let other = with(request("other"), "/headers/idempotency-key", "k-1");
    assert_eq!(ask(&handler, &other).await.code(), "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn a_commit_with_a_lost_response_is_201_on_a_retry_with_the_same_key() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    recorder.faults().lose_answer = true;
    let event = with(request("hello"), "/headers/idempotency-key", "k-1");
    assert_eq!(ask(&handler, &event).await.status, 504);
    assert_eq!(ask(&handler, &event).await.status, 201);
    assert_eq!(recorder.items_of(OUTBOX).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_repeats_the_stages_with_the_same_effects() {
    let recorder = Arc::new(Recorder::default());
    let handler = post_note(&recorder);
    recorder.faults().conflicts = 24;
    assert_eq!(ask(&handler, &request("hello")).await.status, 201);
    assert_eq!(handler.endpoint.retrievals.load(Ordering::SeqCst), 25);
    assert_eq!(recorder.items_of(OUTBOX).len(), 1);

    recorder.faults().conflicts = 25;
    let answered = ask(&handler, &request("hello")).await;
    assert_eq!((answered.status, answered.code()), (503, "SERVICE_UNAVAILABLE"));
    assert_eq!(answered.headers["retry-after"], "1");
}
