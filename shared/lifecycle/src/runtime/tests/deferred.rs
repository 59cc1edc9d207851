//! Work after the response, or before it where there is no extension.

use tokio::time::{Instant, sleep};

use super::super::defer_mode::DeferMode;
use super::super::deferred::Tertiary;
use super::notes::READERS;
use super::*;
use crate::commit::EventOrigin;
use crate::effects::{Effects, Event, EventData, Mail, Message, Post, QueueName};
use crate::{Moment, Timestamp, Upstream};

fn is_count(call: &Call) -> bool {
    matches!(call, Call::Count(..))
}

/// A handler whose first request exchanges its count.
fn counting(recorder: &Arc<Recorder>) -> endpoint::Handler<PostNote> {
    let mut handler = post_note(recorder);
    Arc::get_mut(&mut handler.shared).unwrap().settings.rate_limit = Some(5);
    handler
}

#[tokio::test]
async fn only_tertiary_effects_or_a_collector_need_an_extension() {
    let recorder = Arc::new(Recorder::default());
    assert!(post_note(&recorder).defers_work(), "it has a queue");
    let mut query = get_note(&recorder);
    assert!(!query.defers_work());
    let settings = &mut Arc::get_mut(&mut query.shared).unwrap().settings;
    settings.collector = Some("http://collector.example".to_owned());
    assert!(query.defers_work(), "spans are sent after the response");
}

#[tokio::test]
async fn nothing_is_left_of_a_request_that_has_no_tertiary_effects() {
    let recorder = Arc::new(Recorder::default());
    for mode in [DeferMode::Spawned, DeferMode::BeforeResponse] {
        let rejected = ask(&post_note(&recorder), &request("undecided")).await;
        assert!(mode.before_answer(Some(rejected.deferred)).await.is_none(), "{mode:?}");
    }
    let noted = ask(&post_note(&recorder), &request("hello")).await;
    let left = DeferMode::Spawned.before_answer(Some(noted.deferred)).await.unwrap();
    assert_eq!((left.lines.len(), left.count()), (0, 1), "the lines are written");
}

#[tokio::test]
async fn without_an_extension_effects_are_performed_before_the_response() {
    let recorder = Arc::new(Recorder::default());
    let noted = ask(&post_note(&recorder), &request("hello")).await;
    assert_eq!(recorder.sent().len(), 0);
    assert!(DeferMode::BeforeResponse.before_answer(Some(noted.deferred)).await.is_none());
    assert_eq!(recorder.sent().len(), 1);
}

/// The data of an announced event.
#[derive(serde::Serialize)]
struct Kept;

impl EventData for Kept {
    const TYPE: &'static str = "Kept";
}

fn told() -> Message {
    Message::new(READERS, Event::about("note", &Kept))
}

fn mail() -> Mail {
    let (id, to, text) = ("1".to_owned(), "a@b.example".to_owned(), "t".to_owned());
    Mail { id, to, subject: text.clone(), text }
}

/// A handler of a function with a collector for spans.
fn collected(recorder: &Arc<Recorder>) -> endpoint::Handler<PostNote> {
    let mut handler = post_note(recorder);
    let settings = &mut Arc::get_mut(&mut handler.shared).unwrap().settings;
    settings.collector = Some("http://collector.example".to_owned());
    handler
}

/// The tertiary effects of a request.
fn tertiary(effects: &Effects) -> Tertiary {
    let moment = Moment::new(Timestamp::from_millis(0), [7; 32]);
    let (request_id, part) = ("req-1".to_owned(), String::new());
    let cause = EventOrigin { request_id, traceparent: None, tracestate: None, part };
    Tertiary::of(effects, &moment, &cause)
}

#[tokio::test]
async fn an_announcement_is_left_to_the_extension_or_sent_before_the_response() {
    for (mode, sent) in [(DeferMode::Spawned, 0), (DeferMode::BeforeResponse, 1)] {
        let recorder = Arc::new(Recorder::default());
        let mut deferred = ask(&post_note(&recorder), &request("undecided")).await.deferred;
        let effects = Effects::none().announce(told());
        deferred.tertiary = tertiary(&effects);
        let left = mode.before_answer(Some(deferred)).await;
        assert_eq!((left.is_some(), recorder.sent().len()), (sent == 0, sent), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_extension_a_response_waits_for_the_exchange_of_counts_but_not_for_a_slow_one() {
    for (slow_ms, waits_ms, is_exchanged) in
        [(0, 0..=0, true), (50, 50..=51, true), (2_000, 100..=101, false)]
    {
        let recorder = Arc::new(Recorder::default());
        recorder.faults().limiter_slow = Duration::from_millis(slow_ms);
        let rejected = ask(&counting(&recorder), &request("undecided")).await;
        let began = Instant::now();
        let left = DeferMode::BeforeResponse.before_answer(Some(rejected.deferred)).await;
        assert!(left.is_none());
        let waited_ms = began.elapsed().as_millis();
        assert!(waits_ms.contains(&waited_ms), "{slow_ms}: {waited_ms}");
        assert_eq!(recorder.calls().iter().any(is_count), is_exchanged, "{slow_ms}");
        sleep(Duration::from_secs(2)).await;
        assert!(recorder.calls().iter().any(is_count), "a slow exchange goes on");
    }
}

#[tokio::test]
async fn a_failed_tertiary_effect_does_not_change_the_response() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().queues_down = true;
    let answered = ask(&post_note(&recorder), &request("hello")).await;
    answered.deferred.perform().await;
    assert_eq!((answered.status, recorder.calls().len()), (201, 2));
}

#[tokio::test(start_paused = true)]
async fn a_slow_queue_does_not_delay_the_response() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().queues_slow = Duration::from_secs(2);
    let began = tokio::time::Instant::now();
    let answered = ask(&post_note(&recorder), &request("hello")).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    answered.deferred.perform().await;
    assert_eq!(began.elapsed(), Duration::from_secs(2));
}

#[tokio::test]
async fn deferred_work_has_the_id_of_its_request() {
    let logged = Captured::start();
    let recorder = Arc::new(Recorder::default());
    let mut handler = collected(&recorder);
    Arc::get_mut(&mut handler.shared).unwrap().settings.rate_limit = Some(1);
    recorder.faults().queues_down = true;
    let answered = ask(&handler, &request("hello")).await;
    for line in &answered.deferred.lines {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["requestId"], "req-1", "{line}");
    }
    answered.deferred.perform().await;
    assert!(recorder.calls().iter().any(is_count), "the count is exchanged");
    let asked_for = recorder.asked_for.lock().unwrap();
    assert!(asked_for.iter().all(|id| id.as_deref() == Some("req-1")), "{asked_for:?}");
    assert_eq!(logged.of("a tertiary effect failed")[0]["requestId"], "req-1");
    let exported = recorder.exported.lock().unwrap();
    let body: Value = serde_json::from_slice(&exported[0].2).unwrap();
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let named = json!({ "key": "request.id", "value": { "stringValue": "req-1" } });
    assert!(spans.len() > 1);
    for span in spans {
        assert!(span["attributes"].as_array().unwrap().contains(&named), "{span}");
    }
}

#[tokio::test]
async fn all_tertiary_effects_are_counted_and_performed() {
    let recorder = Arc::new(Recorder::default());
    let mut deferred = ask(&post_note(&recorder), &request("undecided")).await.deferred;
    let post = Post { id: "1".to_owned(), upstream: Upstream::new("chat"), json: json!({}) };
    let effects = Effects::none().message(told()).message(told()).announce(told());
    let effects = effects.mail(mail()).mail(mail()).post(post.clone()).post(post.clone());
    deferred.tertiary = tertiary(&effects.post(post));
    assert_eq!(deferred.count(), 8);
    deferred.perform().await;
    let told = |call: &Call| matches!(call, Call::Mail(_) | Call::Post(_));
    let told = recorder.calls().into_iter().filter(told).count();
    assert_eq!((recorder.sent().len(), told), (3, 5));
}

#[tokio::test(start_paused = true)]
async fn a_slow_collector_fails_no_tertiary_effect() {
    let logged = Captured::start();
    let recorder = Arc::new(Recorder::default());
    recorder.faults().collector_slow = Duration::from_mins(1);
    let noted = ask(&collected(&recorder), &request("hello")).await;
    let began = Instant::now();
    assert!(DeferMode::BeforeResponse.before_answer(Some(noted.deferred)).await.is_none());
    assert!((1_000..=1_001).contains(&began.elapsed().as_millis()));
    assert_eq!(recorder.sent().len(), 1);
    assert!(logged.of("a tertiary effect failed").is_empty());
    assert_eq!(logged.of("span export failed; spans dropped").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_an_effect_without_a_result_fails_at_the_deadline() {
    let logged = Captured::start();
    let recorder = Arc::new(Recorder::default());
    recorder.faults().queues_slow = Duration::from_mins(1);
    let mut deferred = ask(&post_note(&recorder), &request("undecided")).await.deferred;
    deferred.tertiary = tertiary(&Effects::none().message(told()).mail(mail()).mail(mail()));
    deferred.perform().await;
    assert_eq!(recorder.calls(), vec![Call::Mail("1".to_owned()); 2]);
    let [line] = logged.of("a tertiary effect failed").try_into().unwrap();
    assert_eq!(line["error"], "not enough time left");
}

#[tokio::test]
async fn a_panic_of_deferred_work_is_logged_and_the_response_is_sent() {
    let logged = Captured::start();
    let recorder = Arc::new(Recorder::default());
    recorder.faults().panics = vec!["event-1".to_owned()];
    let mut deferred = ask(&post_note(&recorder), &request("undecided")).await.deferred;
    let event = Event::about("note", &Kept).known_as("event-1");
    deferred.tertiary = tertiary(&Effects::none().message(Message::new(READERS, event)));
    assert!(DeferMode::BeforeResponse.before_answer(Some(deferred)).await.is_none());
    let [line] = logged.of("deferred work panicked; the rest of it is lost").try_into().unwrap();
    assert_eq!(line["requestId"], "req-1", "{line}");
    assert!(line["error"].as_str().unwrap().starts_with("panicked"), "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_a_response_fails_only_its_own_messages() {
    const HANGING: QueueName = QueueName::new("hanging");
    let logged = Captured::start();
    let recorder = Arc::new(Recorder::default());
    recorder.faults().hanging = Some(HANGING);
    let mut deferred = ask(&post_note(&recorder), &request("undecided")).await.deferred;
    let lost = || Message::new(HANGING, Event::about("note", &Kept));
    let effects = Effects::none().message(lost()).message(told()).message(lost());
    deferred.tertiary = tertiary(&effects.announce(told()).announce(lost()));
    deferred.perform().await;
    let queues: Vec<QueueName> = recorder.sent().iter().map(|sent| sent.queue).collect();
    assert_eq!(queues, [READERS, READERS], "a message and an announcement");
    let lines = logged.of("a tertiary effect failed");
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line["error"] == "not enough time left"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_ran_out_of_time_leaves_its_messages_and_spans() {
    for (slow_ms, done) in [(100, 1), (200, 0)] {
        let logged = Captured::start();
        let recorder = Arc::new(Recorder::default());
        recorder.faults().queues_slow = Duration::from_millis(slow_ms);
        recorder.faults().collector_slow = Duration::from_millis(slow_ms);
        let mut timed_out = ask(&collected(&recorder), &request("hang")).await;
        assert_eq!(timed_out.status, 504);
        timed_out.deferred.tertiary = tertiary(&Effects::none().message(told()));
        timed_out.deferred.perform().await;
        let exported = recorder.exported.lock().unwrap().len();
        assert_eq!((recorder.sent().len(), exported), (done, done), "{slow_ms}");
        for message in ["a tertiary effect failed", "span export failed; spans dropped"] {
            assert_eq!(logged.of(message).len(), 1 - done, "{slow_ms}: {message}");
        }
    }
}
