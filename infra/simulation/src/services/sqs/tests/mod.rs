mod fifo;
mod standard;

use serde_json::{Value as Json, json};

use super::QueueDefinition;
use crate::Millis;
use crate::services::tests::World;
use crate::services::{Called, Freedom};

const SERVICE: &str = "AmazonSQS";

impl World {
    fn sqs(&mut self, operation: &str, body: Json) -> Json {
        self.ok(SERVICE, operation, &body)
    }

    fn sqs_error(&mut self, operation: &str, body: Json) -> Json {
        self.error(SERVICE, operation, &body)
    }

    fn send(&mut self, url: &str, body: &str) {
        self.sqs("SendMessage", json!({ "QueueUrl": url, "MessageBody": body }));
    }

    /// Receives up to ten messages.
    fn receive(&mut self, url: &str) -> Vec<Json> {
        let request = json!({
            "QueueUrl": url, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"],
        });
        self.sqs("ReceiveMessage", request)["Messages"].as_array().cloned().unwrap_or_default()
    }

    fn bodies(&mut self, url: &str) -> Vec<String> {
        let received = self.receive(url);
        received.iter().map(|it| it["Body"].as_str().unwrap().to_owned()).collect()
    }

    fn delete(&mut self, url: &str, message: &Json) {
        let delete = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
        self.sqs("DeleteMessage", delete);
    }
}

fn queue(freedom: Freedom, definition: QueueDefinition) -> (World, String) {
    let mut world = World::new(freedom);
    let url = world.services.add_queue(definition).unwrap();
    (world, url)
}
