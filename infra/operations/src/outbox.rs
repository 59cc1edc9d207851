//! `outbox show` and `outbox retry`: rows that were set aside, because a queue rejects their message
//! for its content, or because they cannot be read.

use std::cell::Cell;

use aws::admin::{Operator, Segment};
use clap::Subcommand;
use lifecycle::clock;
use lifecycle::commit::{OUTBOX, OutboxRow};
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;

use crate::output::Say;
use crate::patience::patiently;

pub(crate) const RESOURCES: &[Resource] = &[Resource::Table(OUTBOX, &[])];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows the rows that were set aside, and the unreadable ones.
    Show,
    /// Makes the readable rows that were set aside wait for the sweeper again.
    Retry,
}

pub(crate) async fn run(
    command: &Command,
    operator: &Operator,
    say: Say<'_>,
) -> Result<(), BoxError> {
    let (mut aside, mut unreadable, mut retried, mut next) = (0, 0, 0_usize, None);
    loop {
        let segment = Segment { number: 0, of: 1 };
        let scan = async || operator.scan::<OutboxRow>(segment, next.as_ref()).await;
        let page = patiently(scan, || ()).await?;
        for key in &page.unreadable {
            unreadable += 1;
            let event = key.sk.as_deref().unwrap_or_default();
            say(&format!("{event} about {}: cannot be read", key.pk));
        }
        for row in page.records {
            let Some(at) = row.set_aside_at else { continue };
            aside += 1;
            let what = &row.envelope;
            let (event, kind, about) = (&what.event_id, &what.event_type, &what.aggregate_id);
            let refusals = row.refusals;
            say(&format!("{event} {kind} about {about}: set aside {at}, refused {refusals} times"));
            if !row.may_be_retried(clock::now()) {
                say(&format!(
                    "{event} is too old to be retried: its consumers may have forgotten it"
                ));
            } else if matches!(command, Command::Retry) {
                let write = row.retried(clock::now());
                let write = async || operator.write(write.clone()).await;
                // A repeated write finds the row changed if an answer was lost: it waits again.
                let repeated = Cell::new(false);
                let is_written = patiently(write, || repeated.set(true)).await?;
                retried += usize::from(is_written || repeated.get());
            }
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    match command {
        Command::Show => say(&format!("{aside} rows set aside, {unreadable} unreadable")),
        Command::Retry => say(&format!("done: {retried} of {aside} rows wait again")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws::Aws;
    use serde_json::json;

    use super::*;
    use crate::testing::service;

    /// The error of a table whose encryption key is throttled. The SDK does not repeat such a call.
    const THROTTLED: &str = r#"{"__type":"com.amazon.coral.service#KMS.ThrottlingException"}"#;

    #[tokio::test]
    async fn a_retry_of_rows_repeats_throttled_calls() {
        let url = service(|call| match (call.number % 2, call.operation.as_str()) {
            (0, _) => (400, THROTTLED.to_owned()),
            (_, "Scan") => (200, scanned()),
            _ => (200, "{}".to_owned()),
        });
        let environment = move |name: &str| match name {
            "AWS_REGION" => Some("eu-west-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            "AWS_ENDPOINT_URL" => Some(url.clone()),
            "OUTBOX_TABLE" => Some("outbox".to_owned()),
            _ => None,
        };
        let aws = Aws::connect_with(RESOURCES, environment).unwrap();
        let lines = Mutex::new(Vec::new());
        let say = |line: &str| lines.lock().unwrap().push(line.to_owned());
        run(&Command::Retry, &Operator::new(aws), &say).await.unwrap();
        let lines = lines.into_inner().unwrap();
        assert_eq!(lines.last().unwrap(), "done: 1 of 1 rows wait again", "{lines:?}");
    }

    /// A page with one row, which was set aside now.
    fn scanned() -> String {
        let now = clock::now();
        let text = |text: &str| json!({ "S": text });
        let row = json!({
            "pk": text("order"), "sk": text("event"),
            "aggregateId": text("order"), "eventId": text("event"),
            "eventType": text("OrderCreated"), "version": { "N": "1" },
            "occurredAt": text(&now.to_string()), "requestId": text("request"),
            "data": { "M": {} },
            "expiresAt": { "N": now.plus_seconds(60).as_seconds().to_string() },
            "setAsideAt": text(&now.to_string()),
        });
        json!({ "Items": [row], "Count": 1, "ScannedCount": 1 }).to_string()
    }
}
