//! The emulator's SQS, on tokio's paused clock.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::dispatch::SqsHandler;
use rustack_sqs_http::response::error_to_response;
use rustack_sqs_http::router::resolve_operation;
use serde_json::{Value as Json, json};

use super::queue_operations::{
    Handles, Operation, QUEUES, RECEIVE_COUNT_MAX, dead_letters_of, is_fifo, outcome, queue_of,
    request,
};

/// The emulator's SQS.
pub(super) struct Theirs {
    handler: RustackSqsHandler,
    urls: Vec<String>,
    handles: Handles,
}

impl Theirs {
    pub(super) async fn new() -> Self {
        let provider = RustackSqs::new(SqsConfig {
            skip_signature_validation: true,
            default_region: "us-east-1".to_owned(),
            account_id: "123456789012".to_owned(),
            host: "localhost".to_owned(),
            port: 80,
        });
        let handler = RustackSqsHandler::new(Arc::new(provider));
        let mut theirs = Self { handler, urls: Vec::new(), handles: Handles::new() };
        for name in QUEUES {
            let mut attributes = json!({ "VisibilityTimeout": "10" });
            if is_fifo(name) {
                attributes["FifoQueue"] = json!("true");
            }
            if let Some(dead_letters) = dead_letters_of(name) {
                let arn = format!("arn:aws:sqs:us-east-1:123456789012:{dead_letters}");
                let policy =
                    json!({ "deadLetterTargetArn": arn, "maxReceiveCount": RECEIVE_COUNT_MAX });
                attributes["RedrivePolicy"] = json!(policy.to_string());
            }
            let create = json!({ "QueueName": name, "Attributes": attributes });
            let (status, created) = theirs.call("CreateQueue", &create).await;
            assert_eq!(status, 200, "{created}");
            theirs.urls.push(created["QueueUrl"].as_str().unwrap().to_owned());
        }
        theirs
    }

    async fn call(&self, operation: &str, body: &Json) -> (u16, Json) {
        let target = HeaderValue::from_str(&format!("AmazonSQS.{operation}")).unwrap();
        let target = HeaderMap::from_iter([(HeaderName::from_static("x-amz-target"), target)]);
        let answered = match resolve_operation(&target) {
            Ok(known) => self.handler.handle_operation(known, Bytes::from(body.to_string())).await,
            Err(error) => Err(error),
        };
        let response = answered.unwrap_or_else(|error| error_to_response(&error, "test"));
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(json!({})))
    }

    pub(super) async fn perform(&mut self, operation: &Operation) -> Json {
        if let Operation::Pass { seconds } = operation {
            tokio::time::advance(Duration::from_secs(*seconds)).await;
            // The queues' tasks move their messages.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            return Json::Null;
        }
        let Some((name, body)) = request(operation, &self.urls, &self.handles) else {
            return Json::Null;
        };
        let (status, answer) = self.call(name, &body).await;
        outcome(queue_of(operation), 0, status, &answer, &mut self.handles)
    }
}
