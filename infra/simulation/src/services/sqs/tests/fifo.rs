use super::*;

fn fifo() -> (World, String) {
    let definition = QueueDefinition::new("q.fifo").with_content_based_deduplication();
    queue(Freedom::usual(), definition)
}

fn sent(url: &str, group: &str, body: &str) -> Json {
    json!({ "QueueUrl": url, "MessageBody": body, "MessageGroupId": group })
}

/// Receives without the chance to miss a message.
fn polled(world: &mut World, url: &str) -> Vec<Json> {
    let poll = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1 });
    match world.start(SERVICE, "ReceiveMessage", &poll) {
        Called::AtOnce(response) => {
            response.json()["Messages"].as_array().cloned().unwrap_or_default()
        }
        Called::CompletesAt(_, call) => {
            world.services.abandon(call);
            Vec::new()
        }
    }
}

fn texts(messages: &[Json]) -> Vec<&str> {
    messages.iter().map(|message| message["Body"].as_str().unwrap()).collect()
}

#[test]
fn a_group_is_delivered_in_order_and_blocked_by_a_message_in_flight() {
    let (mut world, url) = fifo();
    for (group, body) in [("a", "1"), ("b", "2"), ("a", "3")] {
        world.sqs("SendMessage", sent(&url, group, body));
    }

    let first = polled(&mut world, &url);
    assert_eq!(texts(&first), ["1", "2", "3"]);
    world.sqs("SendMessage", sent(&url, "a", "4"));
    world.sqs("SendMessage", sent(&url, "c", "5"));
    assert_eq!(texts(&polled(&mut world, &url)), ["5"], "the group a is blocked");
    world.delete(&url, &first[0]);
    assert!(polled(&mut world, &url).is_empty());
    world.delete(&url, &first[2]);
    assert_eq!(texts(&polled(&mut world, &url)), ["4"]);
}

#[test]
fn a_message_that_was_not_deleted_comes_before_its_successors() {
    let (mut world, url) = fifo();
    for body in ["1", "2"] {
        world.sqs("SendMessage", sent(&url, "a", body));
    }
    polled(&mut world, &url);
    world.pass(Millis::seconds(30));
    assert_eq!(texts(&polled(&mut world, &url)), ["1", "2"]);
}

#[test]
fn a_repeated_deduplication_id_is_accepted_and_dropped_for_five_minutes() {
    let (mut world, url) = fifo();
    let first = world.sqs("SendMessage", sent(&url, "a", "1"));
    world.pass(Millis(299_999));
    let second = world.sqs("SendMessage", sent(&url, "b", "1"));
    assert_eq!(first["MessageId"], second["MessageId"]);
    assert_eq!(world.services.messages("q.fifo").len(), 1);
    world.pass(Millis(1));
    world.sqs("SendMessage", sent(&url, "a", "1"));
    assert_eq!(world.services.messages("q.fifo").len(), 2);
}

#[test]
fn a_receipt_handle_ends_with_its_visibility_timeout() {
    let (mut world, url) = fifo();
    world.sqs("SendMessage", sent(&url, "a", "1"));
    let received = polled(&mut world, &url);
    world.pass(Millis::seconds(30));

    let delete = json!({ "QueueUrl": url, "ReceiptHandle": received[0]["ReceiptHandle"] });
    let error = world.sqs_error("DeleteMessage", delete);

    assert_eq!(error["__type"], "InvalidParameterValue");
    assert!(error["message"].as_str().unwrap().contains("has expired"));
}

#[test]
fn a_group_and_an_id_have_128_visible_characters_at_most() {
    let mut world = World::new(Freedom::none());
    let url = world.services.add_queue(QueueDefinition::new("q.fifo")).unwrap();
    let standard = world.services.add_queue(QueueDefinition::new("q")).unwrap();
    let request = |url: &str, group: &str| {
        json!({
            "QueueUrl": url, "MessageBody": "x", "MessageGroupId": group,
        })
    };
    for id in ["", "Ann Lee", "\u{e9}", &"x".repeat(129)] {
        let mut by_group = request(&url, id);
        by_group["MessageDeduplicationId"] = json!("1");
        let mut by_id = request(&url, "a");
        by_id["MessageDeduplicationId"] = json!(id);
        for request in [by_group, by_id, request(&standard, id)] {
            let error = world.sqs_error("SendMessage", request);
            assert_eq!(error["__type"], "InvalidParameterValue", "{id}");
        }
    }
    world.sqs("SendMessage", request(&standard, &"!~".repeat(64)));
}

#[test]
fn a_message_needs_a_group_and_an_id_and_has_no_delay() {
    let mut world = World::new(Freedom::none());
    let url = world.services.add_queue(QueueDefinition::new("q.fifo")).unwrap();
    let mut request = json!({ "QueueUrl": url, "MessageBody": "x" });
    assert_eq!(world.sqs_error("SendMessage", request.clone())["__type"], "MissingParameter");
    request["MessageGroupId"] = json!("a");
    assert_eq!(world.sqs_error("SendMessage", request.clone())["__type"], "InvalidParameterValue");
    request["MessageDeduplicationId"] = json!("1");
    request["DelaySeconds"] = json!(3);
    assert_eq!(world.sqs_error("SendMessage", request.clone())["__type"], "InvalidParameterValue");
    request["DelaySeconds"] = json!(0);
    let first = world.sqs("SendMessage", request.clone());
    request["MessageDeduplicationId"] = json!("2");
    let second = world.sqs("SendMessage", request);
    let number = |sent: &Json| sent["SequenceNumber"].as_str().unwrap().to_owned();
    assert!(number(&first) < number(&second));
}

#[test]
fn a_dead_letter_makes_way_for_the_rest_of_its_group() {
    let mut world = World::new(Freedom::none());
    world.services.add_queue(QueueDefinition::new("dead.fifo")).unwrap();
    let definition = QueueDefinition::new("q.fifo")
        .with_content_based_deduplication()
        .with_redrive("dead.fifo", 1);
    let url = world.services.add_queue(definition).unwrap();
    world.sqs("SendMessage", sent(&url, "a", "1"));
    world.sqs("ReceiveMessage", json!({ "QueueUrl": url }));
    world.sqs("SendMessage", sent(&url, "a", "2"));
    world.pass(Millis::seconds(30));

    assert_eq!(texts(&world.receive(&url)), ["2"]);
    assert_eq!(world.services.messages("dead.fifo"), ["1"]);
}

#[test]
fn a_dead_letter_can_be_sent_again_within_five_minutes_of_its_first_sending() {
    let mut world = World::new(Freedom::none());
    let dead_letters = world.services.add_queue(QueueDefinition::new("dead.fifo")).unwrap();
    let definition = QueueDefinition::new("q.fifo")
        .with_content_based_deduplication()
        .with_redrive("dead.fifo", 3);
    let url = world.services.add_queue(definition).unwrap();
    let first = world.sqs("SendMessage", sent(&url, "a", "1"));
    for _ in 0..3 {
        assert_eq!(texts(&world.receive(&url)), ["1"]);
        world.pass(Millis::seconds(30));
    }
    assert!(world.receive(&url).is_empty());

    let dead = world.receive(&dead_letters);
    let id = &dead[0]["Attributes"]["MessageDeduplicationId"];
    assert_eq!(*id, first["MessageId"]);
    let mut again = sent(&url, "a", "1");
    again["MessageDeduplicationId"] = id.clone();
    world.sqs("SendMessage", again);

    assert_eq!(texts(&world.receive(&url)), ["1"]);
}

#[test]
fn a_long_poll_waits_while_the_only_group_is_blocked() {
    let definition = QueueDefinition::new("q.fifo").with_content_based_deduplication();
    let (mut world, url) = queue(Freedom::none(), definition);
    world.sqs("SendMessage", sent(&url, "a", "1"));
    let received = world.receive(&url);
    world.sqs("SendMessage", sent(&url, "a", "2"));
    let poll = json!({ "QueueUrl": url, "WaitTimeSeconds": 10 });
    let Called::CompletesAt(until, _) = world.start(SERVICE, "ReceiveMessage", &poll) else {
        panic!("the group is blocked");
    };
    assert_eq!(world.services.next_event_at(), Some(until));

    world.delete(&url, &received[0]);

    assert_eq!(world.services.next_event_at(), Some(world.now));
    let ended = world.pass(Millis(0));
    assert_eq!(ended[0].1.json()["Messages"][0]["Body"], "2");
}
