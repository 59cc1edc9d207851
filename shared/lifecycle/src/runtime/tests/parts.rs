//! Effects in parts, and messages that a queue refuses for their content: a relay of notes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::notes::{NOTES, Note, READERS};
use super::recorder::{Call, Recorder};
use super::shared;
use crate::commit::{OUTBOX, OutboxRow};
use crate::consumer::{Consumer, DeliveredMessage, Inbox, Schedule, ScheduledRun, Source};
use crate::effects::{Condition, Effects, Event, EventData, Message, QueueName, Write};
use crate::envelope::Envelope;
use crate::error::{DomainError, Retrieved};
use crate::record::Record;
use crate::resource::{Action, Needs, Resource, Resources};
use crate::runtime::consumer::Handler;
use crate::runtime::invocation::{Handled, Handler as _, Invocation};
use crate::telemetry::log::captured::Captured;
use crate::{Deadline, Moment, Permit};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const IDS: [&str; 4] = ["one", "refused", "unavailable", "two"];

/// Forwards the events with these ids, each as a separate part, and records that it did. The id
/// `outside` is also written outside the parts.
struct Sweep<const REMEMBERED: bool>(&'static [&'static str]);

fn envelope(id: &str) -> Envelope<Value> {
    let envelope = json!({
        "eventId": id, "eventType": "NoteAdded", "version": 1, "aggregateId": id,
        "occurredAt": "2026-01-01T00:00:00.000Z", "requestId": "req-1", "data": {},
        "traceparent": format!("00-{TRACE}-b7ad6b7169203331-01"), "tracestate": "vendor=1",
    });
    serde_json::from_value(envelope).unwrap()
}

/// A note in the partition before the `/` of the id, if it has one.
fn noted(id: &str, text: &str) -> Write {
    let partition = id.split('/').next().unwrap_or_default();
    Write::put(&Note { id: partition.to_owned(), author: String::new(), text: text.to_owned() })
}

impl<const REMEMBERED: bool> Consumer for Sweep<REMEMBERED> {
    const SOURCE: Source = Source::Schedule(Schedule::every_minutes(1));
    const INBOX: Inbox = if REMEMBERED { Inbox::Remembered } else { Inbox::None };
    const RESOURCES: Resources =
        &[Resource::Queue(READERS), Resource::Table(NOTES, &[Action::PutItem])];

    type Input = ScheduledRun;
    type Command = ScheduledRun;

    type Facts = &'static [&'static str];

    async fn retrieve(
        &self,
        _: &Permit<DeliveredMessage>,
        _: &ScheduledRun,
    ) -> Retrieved<Self::Facts> {
        Ok(self.0)
    }

    fn decide(_: &Moment, _: &ScheduledRun, ids: Self::Facts) -> Result<Effects, DomainError> {
        let part = |id: &&str| {
            if *id == "poisoned" {
                let write = noted(id, "relayed").when(Condition::Present);
                return Effects::none().write(write);
            }
            Effects::none()
                .message(Message::forward(READERS, envelope(id)))
                .write(noted(id, "relayed"))
                .if_refused(Effects::none().write(noted(id, "set aside")), "NOTE_SET_ASIDE")
                .if_unsent(Effects::none().write(noted(id, "moved back")))
        };
        let outside = ids.contains(&"outside").then(|| noted("outside", "written"));
        Ok(ids.iter().map(part).fold(Effects::none().writes_of(outside), Effects::part))
    }
}

async fn run(recorder: &Arc<Recorder>, ids: &'static [&'static str]) -> Handled {
    run_of(recorder, Sweep::<false>(ids)).await
}

async fn run_of(recorder: &Arc<Recorder>, consumer: impl Consumer) -> Handled {
    let mut shared = shared(recorder);
    let settings = &mut Arc::get_mut(&mut shared).unwrap().settings;
    settings.collector = Some("http://collector.example".to_owned());
    let handler = Handler::new(consumer, shared);
    let event = json!({ "id": "run-1", "time": "2026-01-01T00:00:00Z" });
    let invocation = Invocation {
        invocation_id: "invocation-1".to_owned(),
        event: Bytes::from(event.to_string()),
        deadline: Deadline::after(Duration::from_secs(10)),
        x_ray: None,
        cold_start: false,
    };
    handler.handle(invocation).await
}

fn notes(recorder: &Recorder) -> Vec<(String, String)> {
    let notes = recorder.items_of(NOTES).into_iter();
    let mut notes: Vec<(String, String)> = notes
        .map(|item| serde_dynamo::from_item::<_, Note>(item).unwrap())
        .map(|note| (note.id, note.text))
        .collect();
    notes.sort();
    notes
}

#[test]
fn a_consumer_needs_the_calls_of_its_resources() {
    let needs = Needs::of_consumer::<Sweep<false>>();
    assert!(needs.commits && needs.queues && !needs.counts && !needs.mail);
}

#[tokio::test]
async fn parts_with_an_inbox_or_other_effects_fail_and_nothing_is_done() {
    let recorder = Arc::new(Recorder::default());
    for handled in [
        run_of(&recorder, Sweep::<true>(&["one"])).await,
        run_of(&recorder, Sweep::<false>(&["one", "outside"])).await,
    ] {
        assert!(handled.answer.is_err());
    }
    assert!(notes(&recorder).is_empty() && recorder.sent().is_empty());
}

#[tokio::test]
async fn a_part_that_fails_does_not_stop_the_other_parts() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().refused = vec!["refused".to_owned()];
    recorder.faults().unavailable = vec!["unavailable".to_owned()];
    assert!(run(&recorder, &IDS).await.answer.is_err(), "the failed part is retried");
    let expected = [
        ("one", "relayed"),
        ("refused", "set aside"),
        ("two", "relayed"),
        ("unavailable", "moved back"),
    ];
    let expected = expected.map(|(id, text)| (id.to_owned(), text.to_owned()));
    assert_eq!(notes(&recorder), expected);
    let sends = recorder.calls().into_iter().filter(|call| matches!(call, Call::Send(_))).count();
    assert_eq!((sends, recorder.sent().len()), (4, 2), "each part is sent once");
}

#[tokio::test]
async fn parts_of_one_partition_keep_their_order_and_none_overtakes_a_failed_one() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().unavailable = vec!["emma/2".to_owned()];
    let ids = &["emma/1", "dune/1", "emma/2", "dune/2", "emma/3", "dune/3"];
    assert!(run(&recorder, ids).await.answer.is_err(), "the failed part is retried");
    let sent = recorder.sent();
    let of = |book: &str| {
        let ids = sent.iter().map(|message| message.envelope.event_id.as_str());
        ids.filter(|id| id.starts_with(book)).collect::<Vec<_>>()
    };
    assert_eq!((of("emma"), of("dune")), (vec!["emma/1"], vec!["dune/1", "dune/2", "dune/3"]));
}

#[tokio::test]
async fn a_run_with_refused_parts_succeeds_and_counts_them() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().refused = vec!["refused".to_owned()];
    let handled = run(&recorder, &["refused", "one"]).await;
    assert!(handled.answer.is_ok());
    let lines = &handled.deferred.as_ref().unwrap().lines;
    assert!(lines.iter().any(|line| line.contains("NOTE_SET_ASIDE")), "{lines:?}");
}

#[tokio::test]
async fn the_span_of_a_part_is_in_the_trace_of_the_event_that_it_forwards() {
    let recorder = Arc::new(Recorder::default());
    run(&recorder, &["one"]).await.deferred.unwrap().perform().await;
    let exported = recorder.exported.lock().unwrap();
    let body: Value = serde_json::from_slice(&exported[0].2).unwrap();
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    assert_eq!(spans[0]["name"], "post_note", "the span of the run has the function's name");
    let part = spans.iter().find(|span| span["name"] == "process notes").unwrap();
    assert_eq!(
        (&part["traceId"], &part["parentSpanId"]),
        (&json!(TRACE), &json!("b7ad6b7169203331"))
    );
    let passed_on = recorder.sent()[0].envelope.traceparent.clone().unwrap();
    let expected = format!("00-{TRACE}-{}-01", part["spanId"].as_str().unwrap());
    assert_eq!(passed_on, expected, "the trace continues from the relay");
    assert_eq!(recorder.sent()[0].envelope.tracestate.as_deref(), Some("vendor=1"));
    assert_eq!(part["traceState"], "vendor=1");
}

#[tokio::test]
async fn a_part_that_panics_does_not_stop_the_other_parts() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().panics = vec!["one".to_owned()];
    assert!(run(&recorder, &["one", "two"]).await.answer.is_err(), "the failed part is retried");
    assert_eq!(notes(&recorder), [("two".to_owned(), "relayed".to_owned())]);
}

#[tokio::test]
async fn a_stale_part_is_counted_and_does_not_stop_the_other_parts() {
    let recorder = Arc::new(Recorder::default());
    let handled = run(&recorder, &["one", "poisoned", "two"]).await;
    assert!(handled.answer.is_ok(), "the next run decides it again");
    let expected = [("one", "relayed"), ("two", "relayed")];
    let expected = expected.map(|(id, text)| (id.to_owned(), text.to_owned()));
    assert_eq!(notes(&recorder), expected);
    let lines = &handled.deferred.as_ref().unwrap().lines;
    assert!(lines.iter().any(|line| line.contains("PART_STALE")), "{lines:?}");
}

#[tokio::test]
async fn a_run_of_which_some_parts_failed_is_counted_as_partly_failed() {
    for (ids, is_partly) in
        [(&["one", "unavailable"] as &[_], true), (&["unavailable"] as &[_], false)]
    {
        let recorder = Arc::new(Recorder::default());
        recorder.faults().unavailable = vec!["unavailable".to_owned()];
        let handled = run(&recorder, ids).await;
        assert!(handled.answer.is_err());
        let lines = &handled.deferred.as_ref().unwrap().lines;
        let counted = lines.iter().any(|line| line.contains("PARTLY_FAILED"));
        assert_eq!(counted, is_partly, "{lines:?}");
    }
}

/// The queues of announcements. The second one gets a message only if the first one has taken its own.
const QUEUES: [QueueName; 2] = [QueueName::new("first"), QueueName::new("last")];

/// Stores notes with these ids and announces them, each as a separate part.
struct Announce(&'static [&'static str]);

#[derive(serde::Serialize)]
struct Noted;

impl EventData for Noted {
    const TYPE: &'static str = "Noted";
}

impl Consumer for Announce {
    const SOURCE: Source = Source::Schedule(Schedule::every_minutes(1));
    const INBOX: Inbox = Inbox::None;
    const RESOURCES: Resources =
        &[Resource::Queues(&QUEUES), Resource::Table(NOTES, &[Action::PutItem])];

    type Input = ScheduledRun;
    type Command = ScheduledRun;

    type Facts = &'static [&'static str];

    async fn retrieve(
        &self,
        _: &Permit<DeliveredMessage>,
        _: &ScheduledRun,
    ) -> Retrieved<Self::Facts> {
        Ok(self.0)
    }

    fn decide(_: &Moment, _: &ScheduledRun, ids: Self::Facts) -> Result<Effects, DomainError> {
        let part = |id: &&str| {
            let message = |queue: QueueName| {
                let known = format!("{}/{id}", queue.name());
                Message::new(queue, Event::about(id, &Noted).known_as(known))
            };
            let condition = if *id == "poisoned" { Condition::Present } else { Condition::Absent };
            let write = noted(id, "announced").when(condition);
            Effects::none().write(write).announce_all(QUEUES.map(message))
        };
        Ok(ids.iter().map(part).fold(Effects::none(), Effects::part))
    }
}

#[tokio::test]
async fn a_part_announces_after_its_commit_and_a_failed_queue_holds_back_that_part_alone() {
    let recorder = Arc::new(Recorder::default());
    recorder.faults().unavailable = vec!["first/unavailable".to_owned()];
    let ids = &["one", "unavailable", "poisoned", "two"];
    assert!(run_of(&recorder, Announce(ids)).await.answer.is_err(), "the failed part is retried");
    let expected = ["one", "two", "unavailable"].map(|id| (id.to_owned(), "announced".to_owned()));
    assert_eq!(notes(&recorder), expected);
    let sent = recorder.sent();
    let mut sent: Vec<_> = sent.iter().map(|sent| sent.envelope.event_id.as_str()).collect();
    sent.sort_unstable();
    assert_eq!(sent, ["first/one", "first/two", "last/one", "last/two"]);
}

#[tokio::test(start_paused = true)]
async fn no_part_is_begun_after_the_deadline() {
    let logged = Captured::start();
    let recorder = Arc::new(Recorder::default());
    recorder.faults().commits_slow = Duration::from_mins(1);
    let ids = (0..200_u8).map(|id| -> &'static str { id.to_string().leak() });
    let ids: Vec<&'static str> = ids.collect();
    let handled = run_of(&recorder, Announce(ids.leak())).await;
    assert!(handled.answer.is_err(), "the next run does the parts");
    assert_eq!(recorder.calls(), vec![Call::Commit(1); 10], "as many as are performed at once");
    let lines = logged.of("parts of the effects failed");
    assert_eq!((lines.len(), &lines[0]["failed"], &lines[0]["of"]), (1, &json!(200), &json!(200)));
}

/// Books, each with the aggregate of its event.
type Books = &'static [(&'static str, &'static str)];

/// Lends books to one reader, each as a separate part. Each part first writes the note of the reader.
/// The book `handed over` has only a message.
struct Lend(Books);

impl Consumer for Lend {
    const SOURCE: Source = Source::Schedule(Schedule::every_minutes(1));
    const INBOX: Inbox = Inbox::None;
    const RESOURCES: Resources =
        &[Resource::Queue(READERS), Resource::Table(NOTES, &[Action::PutItem]), Resource::Outbox];

    type Input = ScheduledRun;
    type Command = ScheduledRun;

    type Facts = Books;

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, _: &ScheduledRun) -> Retrieved<Books> {
        Ok(self.0)
    }

    fn decide(_: &Moment, _: &ScheduledRun, books: Books) -> Result<Effects, DomainError> {
        let part = |(book, aggregate): &(&str, &str)| {
            let event = Event::about(aggregate, &Noted);
            if *book == "handed over" {
                return Effects::enqueue_instead_of_commit(Message::new(READERS, event));
            }
            Effects::none().write(noted("ann", "reads")).write(noted(book, "lent")).event(event)
        };
        Ok(books.iter().map(part).fold(Effects::none(), Effects::part))
    }
}

fn published(recorder: &Recorder) -> BTreeSet<String> {
    let rows = recorder.items_of(OUTBOX).into_iter();
    rows.map(|item| OutboxRow::of_item(item).unwrap().envelope.event_id).collect()
}

#[tokio::test]
async fn parts_that_first_write_one_item_are_all_committed_and_their_events_have_different_ids() {
    const OF_THE_READER: Books = &[("dune", "ann"), ("emma", "ann"), ("ulysses", "ann")];
    const OF_THE_BOOKS: Books = &[("dune", "dune"), ("emma", "emma"), ("ulysses", "ulysses")];
    for books in [OF_THE_READER, OF_THE_BOOKS] {
        let recorder = Arc::new(Recorder::default());
        assert!(run_of(&recorder, Lend(books)).await.answer.is_ok());
        assert_eq!(notes(&recorder).len(), 1 + books.len(), "each part is written");
        let first = published(&recorder);
        assert_eq!(first.len(), books.len(), "no subscriber takes one event for another");
        let mut reversed = books.to_vec();
        reversed.reverse();
        assert!(run_of(&recorder, Lend(reversed.leak())).await.answer.is_ok());
        assert_eq!(published(&recorder), first, "a repeated part publishes nothing again");
    }
}

#[tokio::test]
async fn messages_that_parts_hand_over_have_different_ids_and_keep_them_in_a_repeated_run() {
    const HANDED_OVER: Books =
        &[("handed over", "emma"), ("handed over", "dune"), ("handed over", "emma")];
    let recorder = Arc::new(Recorder::default());
    let ids = || -> BTreeSet<String> {
        recorder.sent().into_iter().map(|sent| sent.envelope.event_id).collect()
    };
    assert!(run_of(&recorder, Lend(HANDED_OVER)).await.answer.is_ok());
    let first = ids();
    assert_eq!((recorder.sent().len(), first.len()), (3, 3));
    assert!(run_of(&recorder, Lend(&HANDED_OVER[1..])).await.answer.is_ok());
    assert_eq!((recorder.sent().len(), ids()), (5, first), "receivers ignore the repetitions");
}
