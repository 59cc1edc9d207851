//! The environment of a function under test.

use std::collections::BTreeMap;

use lifecycle::resource::{OUTBOX, Resource};

use crate::config::secret_variable;

/// The public URL of the API, and the issuer of its tokens.
const API: &str = "https://api.example.com";

/// The variables that the resources need. Tables, queues and secrets have their logical names.
pub(super) fn of(uses: &[Resource]) -> BTreeMap<String, String> {
    let fixed = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("ISSUER", API),
        ("AUDIENCE", "api"),
        ("PUBLIC_URL", API),
        ("MAIL_FROM", "sender@example.com"),
        ("MAIL_CONFIGURATION_SET", "test"),
    ];
    let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    fixed.into_iter().chain(uses.iter().flat_map(of_one)).collect()
}

/// The host of an upstream.
pub(super) fn host_of(upstream: &str) -> String {
    format!("{upstream}.upstream.test")
}

fn of_one(used: &Resource) -> Vec<(String, String)> {
    let url = |queue: &str| format!("https://sqs.test/{queue}");
    match *used {
        Resource::Table(table, _) | Resource::Index(table, _) => {
            vec![(table.variable(), table.name().to_owned())]
        }
        Resource::Outbox => vec![(OUTBOX.variable(), OUTBOX.name().to_owned())],
        Resource::Queue(queue) | Resource::ReadAttributes(queue) | Resource::ReceiveFrom(queue) => {
            vec![(queue.variable(), url(queue.name()))]
        }
        Resource::Queues(queues) => {
            queues.iter().map(|queue| (queue.variable(), url(queue.name()))).collect()
        }
        Resource::DeadLetterQueue(queue) => {
            vec![(queue.dead_letter_variable(), url(&format!("{}-dead-letters", queue.name())))]
        }
        Resource::Secret(name) | Resource::WrittenSecret(name) | Resource::RotatedSecret(name) => {
            vec![(secret_variable(name), name.to_owned())]
        }
        Resource::Upstream(upstream) => {
            vec![(upstream.variable(), format!("https://{}", host_of(upstream.name())))]
        }
        Resource::Variable { name, .. } => vec![(name.to_owned(), name.to_lowercase())],
        // The others need no further variable.
        _ => Vec::new(),
    }
}
