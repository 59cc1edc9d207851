//! A consumer in the process of a test.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::given::Given;
use super::memory::Memory;
use crate::Timestamp;
use crate::consumer::{Consumer, Source};
use crate::record::{Record, item_of};
use crate::runtime::in_process::Function;

/// A consumer that a test delivers records to: stages 4 to 8 with the inbox, on a [`Memory`].
///
/// Without a setting the time is 2027-01-15 08:00 UTC for every batch, and each message is delivered
/// for the first time.
pub struct TestedConsumer<C> {
    function: Function,
    given: Given,
    deliveries: u32,
    consumer: PhantomData<fn() -> C>,
}

/// The result of a batch.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Consumed {
    /// The indexes of the records to deliver again, in ascending order. A record that was
    /// dead-lettered or rejected is not among them.
    pub failed: Vec<usize>,
    /// The log lines of the records, and the lines of their metrics.
    pub lines: Vec<Value>,
}

impl<C: Consumer> TestedConsumer<C> {
    pub(super) fn new(consumer: C, memory: &Memory) -> Self {
        let function = Function::consumer(consumer, Arc::new(memory.clone()));
        Self { function, given: Given::usual(), deliveries: 1, consumer: PhantomData }
    }

    /// Sets the time of all batches that follow.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.given.now = now;
        self
    }

    /// Sets the number of deliveries of each message in all batches that follow: 2 is the first
    /// repetition.
    #[must_use]
    pub fn deliveries(mut self, deliveries: u32) -> Self {
        self.deliveries = deliveries;
        self
    }

    /// Delivers messages of the consumer's queue in one batch, each with this body, usually an
    /// [`envelope`](super::envelope).
    ///
    /// # Panics
    ///
    /// When the source of the consumer is no queue, or a body's `Serialize` fails.
    pub async fn messages<M: Serialize>(&self, bodies: &[M]) -> Consumed {
        assert!(matches!(C::SOURCE, Source::Queue(_)), "the source is no queue: {:?}", C::SOURCE);
        let deliveries = self.deliveries.to_string();
        let messages = bodies.iter().enumerate().map(|(index, body)| {
            let body = serde_json::to_string(body).expect("the body has a JSON form");
            json!({
                "messageId": index.to_string(), "receiptHandle": index.to_string(), "body": body,
                "attributes": { "ApproximateReceiveCount": deliveries }, "messageAttributes": {},
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:test",
            })
        });
        self.deliver(json!({ "Records": messages.collect::<Vec<_>>() })).await
    }

    /// Delivers the new images of these records in one batch of the consumer's stream.
    ///
    /// # Panics
    ///
    /// When the source of the consumer is no stream, or a record's `Serialize` fails.
    pub async fn images<R: Record>(&self, records: &[R]) -> Consumed {
        assert!(matches!(C::SOURCE, Source::Stream(_)), "the source is no stream: {:?}", C::SOURCE);
        let changes = records.iter().enumerate().map(|(index, record)| {
            let image = serde_json::to_value(item_of(record)).expect("an item has a JSON form");
            json!({
                "eventID": format!("event-{index}"), "eventName": "INSERT",
                "dynamodb": {
                    "SequenceNumber": index.to_string(),
                    "Keys": { (R::TABLE.partition_key()): { "S": record.key().pk } },
                    "NewImage": image,
                },
            })
        });
        self.deliver(json!({ "Records": changes.collect::<Vec<_>>() })).await
    }

    /// Runs the schedule once. A run that fails has the index 0 in [`Consumed::failed`].
    ///
    /// # Panics
    ///
    /// When the source of the consumer is no schedule.
    pub async fn run(&self, id: &str) -> Consumed {
        assert!(
            matches!(C::SOURCE, Source::Schedule(_)),
            "the source is no schedule: {:?}",
            C::SOURCE
        );
        let time = self.given.now;
        self.deliver(json!({ "id": id, "time": time, "source": "aws.events" })).await
    }

    /// Delivers an event of another service, in the form in which the service sends it. An event that
    /// fails has the index 0 in [`Consumed::failed`].
    ///
    /// # Panics
    ///
    /// When the source of the consumer is no [`Source::Event`], or the event's `Serialize` fails.
    pub async fn event(&self, event: &impl Serialize) -> Consumed {
        assert!(
            matches!(C::SOURCE, Source::Event(_)),
            "the source is no other service: {:?}",
            C::SOURCE
        );
        self.deliver(serde_json::to_value(event).expect("the event has a JSON form")).await
    }

    async fn deliver(&self, event: Value) -> Consumed {
        let invoked = self.given.run(self.function.invoke(&event)).await;
        let mut failed: Vec<usize> = match invoked.answer {
            Ok(answer) => {
                let failed = answer["batchItemFailures"].as_array().into_iter().flatten();
                let ids = failed.filter_map(|failed| failed["itemIdentifier"].as_str());
                ids.filter_map(|id| id.parse().ok()).collect()
            }
            Err(_) => vec![0],
        };
        failed.sort_unstable();
        Consumed { failed, lines: invoked.lines }
    }
}
