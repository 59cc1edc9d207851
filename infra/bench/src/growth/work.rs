//! The measured work: which function, on which growing table, with which events.

use bytes::Bytes;
use domain::examples::ann;
use lifecycle::clock;
use lifecycle::record::{Record, TableName};
use serde_json::{Value, json};
use tooling::Error;
use uuid::Uuid;

use super::rows;
use crate::candidates::{Candidate, Package};
use crate::events::Events;
use crate::items::stored;

/// The number of overdue rows that each run of the sweeper finds.
const OVERDUE: u32 = 10;

/// A work that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// The second page of all orders.
    Page,
    /// The relay of one event, from the outbox's stream.
    Relay,
    /// The approval of one order.
    Settle,
    /// A run over ten overdue rows of the outbox.
    Sweep,
    /// The first page of one customer's orders.
    List,
}

static PAGE: Candidate = candidate("list_orders", has_rows);
static RELAY: Candidate = candidate("relay_outbox", all_consumed);
static SETTLE: Candidate = candidate("settle_order", all_consumed);
static SWEEP: Candidate = candidate("sweep_outbox", |_| true);
static LIST: Candidate = candidate("list_user_orders", has_rows);

const fn candidate(binary: &'static str, is_right: fn(&Value) -> bool) -> Candidate {
    let (package, event) = (Package::Functions, Events::product);
    Candidate { name: binary, binary, package, partner: None, event, is_right }
}

fn has_rows(answer: &Value) -> bool {
    let rows = body_of(answer).ok().and_then(|body| Some(body["data"].as_array()?.len()));
    answer["statusCode"] == 200 && rows.is_some_and(|rows| rows > 0)
}

fn body_of(answer: &Value) -> serde_json::Result<Value> {
    serde_json::from_str(answer["body"].as_str().unwrap_or_default())
}

fn all_consumed(answer: &Value) -> bool {
    answer["batchItemFailures"] == json!([])
}

impl Work {
    pub(super) const ALL: [Self; 5] =
        [Self::Page, Self::Relay, Self::Settle, Self::Sweep, Self::List];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Relay => "relay",
            Self::Settle => "settle",
            Self::Sweep => "sweep",
            Self::List => "list",
        }
    }

    pub(super) fn candidate(self) -> &'static Candidate {
        match self {
            Self::Page => &PAGE,
            Self::Relay => &RELAY,
            Self::Settle => &SETTLE,
            Self::Sweep => &SWEEP,
            Self::List => &LIST,
        }
    }

    /// Whether each invocation changes something. The answer of a schedule does not show it.
    pub(super) fn writes(self) -> bool {
        match self {
            Self::Relay | Self::Settle | Self::Sweep => true,
            Self::Page | Self::List => false,
        }
    }

    /// A row of the table that grows.
    pub(super) fn row(self, number: u32) -> Result<(TableName, Value), Error> {
        match self {
            Self::Page | Self::Settle => rows::order(number),
            Self::Relay | Self::Sweep => rows::relayed(number),
            Self::List => rows::summary(number, &ann()),
        }
    }

    /// Rows that an invocation finds besides those of [`row`](Self::row), by its number.
    pub(super) fn waiting(self, row: u32, number: u32) -> Result<Vec<(TableName, Value)>, Error> {
        let count = match self {
            Self::Relay => 1,
            Self::Sweep => OVERDUE,
            Self::Page | Self::Settle | Self::List => 0,
        };
        (0..count).map(|each| rows::item(&rows::waiting(event_id(row, number, each)))).collect()
    }

    /// The event of the first page, whose cursor the measured page begins at.
    pub(super) fn first_page(self, events: &Events) -> Option<Bytes> {
        (self == Self::Page).then(|| events.get("/orders", "/orders", "limit=20"))
    }

    /// The event of an invocation, about a row and with its number.
    pub(super) fn event(
        self,
        events: &Events,
        row: u32,
        number: u32,
        cursor: Option<&str>,
    ) -> Result<Bytes, Error> {
        Ok(match self {
            Self::Page => {
                let cursor = cursor.ok_or("the first page has no cursor")?;
                events.get("/orders", "/orders", &format!("limit=20&cursor={cursor}"))
            }
            Self::List => events.get_of_user("/orders/user/{userId}"),
            Self::Relay => stream_event(event_id(row, number, 0))?,
            Self::Settle => approval(rows::id(row)),
            Self::Sweep => run(),
        })
    }
}

/// The cursor of a page, for a query string.
pub(super) fn cursor_of(answer: &[u8]) -> Result<String, Error> {
    let answer: Value = serde_json::from_slice(answer)?;
    let body = body_of(&answer)?;
    let cursor = body["nextCursor"].as_str().ok_or_else(|| format!("no cursor in {body}"))?;
    Ok(cursor.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace('=', "%3D"))
}

/// The id of an event that no other invocation has.
fn event_id(row: u32, number: u32, each: u32) -> Uuid {
    let parts = [u128::from(row) << 32, u128::from(number) << 8, u128::from(each)];
    // Ids of rows are spread over the whole space; these are at its beginning.
    Uuid::from_u128(parts.iter().sum())
}

/// The event of a row that was written, from the stream of the outbox.
fn stream_event(event_id: Uuid) -> Result<Bytes, Error> {
    let row = rows::waiting(event_id);
    let (key, image) = (row.key(), stored(&row)?);
    let record = json!({
        "eventID": event_id,
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": clock::now().as_seconds(),
            "Keys": { "pk": { "S": key.pk }, "sk": image["sk"] },
            "NewImage": image,
            "SequenceNumber": "1",
            "SizeBytes": 1_000,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN":
            "arn:aws:dynamodb:eu-west-1:000000000000:table/outbox/stream/2026-01-01T00:00:00.000",
    });
    Ok(json!({ "Records": [record] }).to_string().into())
}

/// The message by which the customer service approves an order.
fn approval(order_id: Uuid) -> Bytes {
    let user_id = ann().user_id;
    let decision = json!({ "orderId": order_id, "orderType": "APPROVED", "userId": user_id });
    let record = json!({
        "messageId": order_id,
        "receiptHandle": "handle",
        "body": decision.to_string(),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": clock::now().as_millis().to_string(),
            "SenderId": "bench",
            "ApproximateFirstReceiveTimestamp": clock::now().as_millis().to_string(),
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:customer_saga",
        "awsRegion": "eu-west-1",
    });
    json!({ "Records": [record] }).to_string().into()
}

/// A run of a schedule.
fn run() -> Bytes {
    json!({
        "version": "0",
        "id": Uuid::new_v4(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": clock::now(),
        "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:000000000000:rule/bench"],
        "detail": {},
    })
    .to_string()
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_fits_into_a_query_string() {
        let body = json!({ "data": [], "nextCursor": "a+b=%&" }).to_string();
        let answer = json!({ "statusCode": 200, "body": body }).to_string();
        assert_eq!(cursor_of(answer.as_bytes()).unwrap(), "a%2Bb%3D%25%26");
        let last = json!({ "statusCode": 200, "body": "{}" }).to_string();
        assert!(cursor_of(last.as_bytes()).is_err());
    }

    #[test]
    fn each_invocation_has_other_events() {
        let ids = [event_id(1, 2, 3), event_id(1, 2, 4), event_id(1, 3, 3), event_id(2, 2, 3)];
        for (index, id) in ids.iter().enumerate() {
            assert!(!ids[..index].contains(id), "{id}");
        }
    }
}
