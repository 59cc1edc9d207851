use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

const HIDDEN: Duration = Duration::from_mins(2);

fn message(group: &str, number: usize) -> Value {
    let id = format!("{group}-{number}");
    let receipt_handle = STANDARD.encode(format!("{id}:0:0"));
    json!({
        "MessageId": id, "ReceiptHandle": receipt_handle, "Attributes": { "MessageGroupId": group },
    })
}

/// A message of a FIFO queue.
fn numbered(group: &str, number: usize) -> Value {
    let mut message = message(group, number);
    message["Attributes"]["SequenceNumber"] = format!("{number:020}").into();
    message
}

fn fifo_line() -> Line {
    Line { is_fifo: true, ..Line::default() }
}

impl Line {
    fn next(&self, count_max: usize) -> Vec<Value> {
        self.give(count_max, HIDDEN, Instant::now())
    }
}

fn ids(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(id_of).collect()
}

/// A line with this many messages of one group, all older than one message of another group.
fn line(count: usize) -> Line {
    let line = Line::default();
    line.take_in((0..count).map(|number| message("loud", number)).collect());
    line.take_in(vec![message("quiet", 0)]);
    line
}

#[test]
fn a_group_with_30_messages_in_flight_is_served_after_others() {
    let line = line(100);
    assert!(ids(&line.next(29)).iter().all(|id| id.starts_with("loud")));
    assert_eq!(ids(&line.next(2)), ["loud-29", "quiet-0"]);
    assert_eq!(ids(&line.next(1)), ["loud-30"], "no other group has messages");
}

#[test]
fn a_group_with_fewer_than_30_messages_in_flight_keeps_its_place() {
    let line = line(100);
    line.next(20);
    assert_eq!(ids(&line.next(1)), ["loud-20"]);
}

#[test]
fn a_group_stays_noisy_while_its_messages_wait() {
    let line = line(31);
    let given = line.next(30);
    assert_eq!(ids(&line.next(1)), ["quiet-0"]);
    for message in &given {
        let handle = STANDARD.encode(format!("{}:0:0", id_of(message)));
        line.note("DeleteMessage", &json!({ "ReceiptHandle": handle }), &json!({}));
    }
    line.take_in(vec![message("quiet", 1)]);
    assert_eq!(ids(&line.next(2)), ["quiet-1", "loud-30"]);
    line.take_in(vec![message("loud", 31), message("quiet", 2)]);
    assert_eq!(ids(&line.next(2)), ["loud-31", "quiet-2"]);
}

#[test]
fn a_message_whose_deletion_failed_in_a_batch_stays_in_flight() {
    let line = line(31);
    let given = line.next(30);
    let handles = given.iter().map(|message| STANDARD.encode(format!("{}:0:0", id_of(message))));
    let entries = handles.enumerate();
    let entries = entries.map(|(id, it)| json!({ "Id": id.to_string(), "ReceiptHandle": it }));
    let batch = json!({ "Entries": entries.collect::<Vec<_>>() });
    line.note("DeleteMessageBatch", &batch, &json!({ "Successful": [], "Failed": [] }));
    line.take_in(vec![message("quiet", 1)]);
    assert_eq!(ids(&line.next(2)), ["quiet-0", "quiet-1"]);
    line.note("DeleteMessageBatch", &batch, &json!({ "Successful": [{ "Id": "0" }] }));
    assert_eq!(line.state().in_flight.len(), 31);
}

#[test]
fn of_noisy_groups_the_one_with_fewer_in_flight_is_served_first() {
    let line = Line::default();
    line.take_in((0..50).map(|number| message("louder", number)).collect());
    line.next(40);
    line.take_in((0..50).map(|number| message("loud", number)).collect());
    assert!(ids(&line.next(30)).iter().all(|id| id.starts_with("loud-")));
    assert_eq!(ids(&line.next(1)), ["loud-30"]);
}

#[test]
fn messages_without_a_group_are_never_noisy() {
    let bare = |number: usize| json!({ "MessageId": number.to_string(), "Attributes": {} });
    let line = Line::default();
    line.take_in((0..40).map(bare).chain([message("quiet", 0)]).collect());
    line.next(35);
    assert_eq!(ids(&line.next(10)), ["35", "36", "37", "38", "39", "quiet-0"]);
}

#[test]
fn a_receive_returns_as_many_messages_of_a_group_as_possible_in_order() {
    let line = fifo_line();
    line.take_in(vec![numbered("b", 3), numbered("a", 2), numbered("b", 1), numbered("a", 4)]);
    assert_eq!(ids(&line.next(3)), ["b-1", "b-3", "a-2"]);
    line.take_in(vec![numbered("c", 5)]);
    assert_eq!(ids(&line.next(10)), ["c-5"], "the other groups have messages in flight");
}

#[test]
fn a_group_is_served_again_from_its_first_message_when_none_is_in_flight() {
    let line = fifo_line();
    line.take_in((1..=3).map(|number| numbered("a", number)).collect());
    let given = line.next(2);
    assert_eq!(ids(&given), ["a-1", "a-2"]);
    line.deleted(&given[1]);
    assert!(line.next(1).is_empty(), "one is still in flight");
    line.take_in(vec![given[0].clone()]);
    assert_eq!(ids(&line.next(10)), ["a-1", "a-3"]);
}

#[test]
fn a_deletion_by_an_earlier_receipt_handle_does_not_free_the_group() {
    let line = fifo_line();
    line.take_in(vec![numbered("a", 1), numbered("a", 2)]);
    assert_eq!(line.next(1).len(), 1);
    let earlier = json!({ "ReceiptHandle": STANDARD.encode("a-1:9:9") });
    line.note("DeleteMessage", &earlier, &json!({}));
    assert!(line.next(1).is_empty());
    line.note("PurgeQueue", &json!({}), &json!({}));
    assert_eq!((line.next(1).len(), line.waiting()), (0, 0));
}
