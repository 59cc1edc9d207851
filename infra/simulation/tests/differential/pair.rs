//! The simulated tables and the embedded `DynamoDB`, with the same definitions.

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use simulation::Millis;
use simulation::random::Seeded;
use simulation::services::dynamodb::{
    IndexDefinition, IndexProjection, KeyAttribute, KeySchema, KeyType, StreamView, TableDefinition,
};
use simulation::services::{Called, Freedom, Permissions, Services, WireRequest};

use super::generator::Operation;
use super::normal::{Outcome, normal, sorted};

/// Both engines.
pub(super) struct Pair {
    ours: Services,
    pub(super) theirs: Database,
    random: Seeded,
}

impl Pair {
    pub(super) fn new(freedom: Freedom) -> Self {
        let mut ours = Services::new(freedom);
        ours.grant("test", Permissions::everything());
        for table in definitions() {
            ours.add_table(table).unwrap();
        }
        let theirs = Database::memory().unwrap();
        for table in creations() {
            let table = serde_json::from_value(table).unwrap();
            theirs.create_table(table).unwrap();
        }
        Self { ours, theirs, random: Seeded::new(0) }
    }

    fn ours(&mut self, operation: &str, request: &Json) -> (u16, Json) {
        self.ours_of("DynamoDB_20120810", operation, request)
    }

    /// A call of one of the services of the tables.
    pub(super) fn ours_of(
        &mut self,
        service: &str,
        operation: &str,
        request: &Json,
    ) -> (u16, Json) {
        let (target, body) = (format!("{service}.{operation}"), request.to_string());
        let request =
            WireRequest { caller: "test", target: Some(&target), path: "/", body: body.as_bytes() };
        match self.ours.call(Millis::seconds(1_800_000_000), &mut self.random, request) {
            Called::AtOnce(response) => (response.status, response.json()),
            Called::CompletesAt(at, _) => panic!("{operation} ends at {at:?}"),
        }
    }

    fn theirs(&self, operation: &str, request: &Json) -> (u16, Json) {
        let theirs = &self.theirs;
        match operation {
            "GetItem" => called(request, |it| theirs.get_item(it)),
            "PutItem" => called(request, |it| theirs.put_item(it)),
            "UpdateItem" => called(request, |it| theirs.update_item(it)),
            "DeleteItem" => called(request, |it| theirs.delete_item(it)),
            "Query" => called(request, |it| theirs.query(it)),
            "Scan" => called(request, |it| theirs.scan(it)),
            "BatchWriteItem" => called(request, |it| theirs.batch_write_item(it)),
            "BatchGetItem" => called(request, |it| theirs.batch_get_item(it)),
            "TransactWriteItems" => called(request, |it| theirs.transact_write_items(it)),
            "TransactGetItems" => called(request, |it| theirs.transact_get_items(it)),
            other => panic!("unknown operation {other}"),
        }
    }

    /// The outcomes of an operation. A query or scan goes through all its pages.
    pub(super) fn outcomes(&mut self, operation: &Operation) -> (Outcome, Outcome) {
        let Operation { name, request } = operation;
        if matches!(*name, "Query" | "Scan") {
            let ours = walked(operation, |request| self.ours(name, request));
            let theirs = walked(operation, |request| self.theirs(name, request));
            return (ours, theirs);
        }
        let (status, ours) = self.ours(name, request);
        let (their_status, theirs) = self.theirs(name, request);
        let (ours, theirs) = (unordered(ours), unordered(theirs));
        (Outcome::of(status, &ours), Outcome::of(their_status, &theirs))
    }
}

/// A batch returns its items in no order.
fn unordered(mut answer: Json) -> Json {
    if let Some(responses) = answer.get_mut("Responses").and_then(Json::as_object_mut) {
        for items in responses.values_mut() {
            if let Json::Array(list) = items {
                *items = Json::Array(sorted(list.iter().map(normal).collect()));
            }
        }
    }
    answer
}

fn called<Request: DeserializeOwned, Response: Serialize>(
    request: &Json,
    call: impl FnOnce(Request) -> Result<Response, DynoxideError>,
) -> (u16, Json) {
    let parsed = match serde_json::from_str(&request.to_string()) {
        Ok(parsed) => parsed,
        Err(error) => {
            // The error of a value is made while it is read.
            let message = error.to_string();
            return (400, json!({ "__type": "ValidationException", "message": message }));
        }
    };
    match call(parsed) {
        Ok(response) => (200, json!(response)),
        Err(error) => {
            let body = serde_json::from_str(&error.to_json()).unwrap();
            (400, body)
        }
    }
}

/// All pages of a query or scan as one outcome.
fn walked(operation: &Operation, mut call: impl FnMut(&Json) -> (u16, Json)) -> Outcome {
    let mut request = operation.request.clone();
    let (mut items, mut count, mut scanned) = (Vec::new(), 0, 0);
    for _ in 0..100 {
        let (status, page) = call(&request);
        if status != 200 {
            return Outcome::of(status, &page);
        }
        count += page["Count"].as_u64().unwrap_or_default();
        scanned += page["ScannedCount"].as_u64().unwrap_or_default();
        let found = page["Items"].as_array().into_iter().flatten();
        items.extend(found.map(normal));
        match page.get("LastEvaluatedKey").filter(|last| !last.is_null()) {
            Some(last) => request["ExclusiveStartKey"] = last.clone(),
            None => break,
        }
    }
    // Only a query of a table has one order.
    if operation.name == "Scan" || operation.request.get("IndexName").is_some() {
        items = sorted(items);
    }
    Outcome::Done(json!({ "Items": items, "Count": count, "ScannedCount": scanned }))
}

fn definitions() -> [TableDefinition; 2] {
    let key = |partition: &str, sort: &str, kind| KeySchema {
        partition: KeyAttribute::new(partition, KeyType::S),
        sort: Some(KeyAttribute::new(sort, kind)),
    };
    let by_group = IndexDefinition::new("by_group", key("tag", "rank", KeyType::N));
    let by_tag = IndexDefinition::new("by_tag", key("tag", "pk", KeyType::S))
        .with_projection(IndexProjection::KeysOnly);
    let by_rank = IndexDefinition::new("by_rank", key("pk", "rank", KeyType::N));
    [
        TableDefinition::new("plain", "pk")
            .with_global_index(by_group)
            .with_stream(StreamView::NewAndOldImages),
        TableDefinition::new("pairs", "pk")
            .with_key(key("pk", "sk", KeyType::N))
            .with_global_index(by_tag)
            .with_local_index(by_rank)
            .with_stream(StreamView::NewAndOldImages),
    ]
}

fn creations() -> [Json; 2] {
    let schema = |partition: &str, sort: Option<&str>| {
        let partition = json!({ "AttributeName": partition, "KeyType": "HASH" });
        let sort = sort.map(|sort| json!({ "AttributeName": sort, "KeyType": "RANGE" }));
        std::iter::once(partition).chain(sort).collect::<Vec<_>>()
    };
    let index = |name: &str, key: Vec<Json>, projection: &str| {
        json!({
            "IndexName": name, "KeySchema": key, "Projection": { "ProjectionType": projection },
        })
    };
    let attributes = |attributes: &[(&str, &str)]| {
        let attributes = attributes.iter();
        attributes
            .map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind }))
            .collect::<Vec<_>>()
    };
    let on_demand = "PAY_PER_REQUEST";
    let stream = json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" });
    [
        json!({
            "TableName": "plain", "StreamSpecification": stream, "BillingMode": on_demand, "KeySchema": schema("pk", None),
            "AttributeDefinitions": attributes(&[("pk", "S"), ("tag", "S"), ("rank", "N")]),
            "GlobalSecondaryIndexes": [index("by_group", schema("tag", Some("rank")), "ALL")],
        }),
        json!({
            "TableName": "pairs", "StreamSpecification": stream, "BillingMode": on_demand, "KeySchema": schema("pk", Some("sk")),
            "AttributeDefinitions":
                attributes(&[("pk", "S"), ("sk", "N"), ("tag", "S"), ("rank", "N")]),
            "GlobalSecondaryIndexes": [index("by_tag", schema("tag", Some("pk")), "KEYS_ONLY")],
            "LocalSecondaryIndexes": [index("by_rank", schema("pk", Some("rank")), "ALL")],
        }),
    ]
}
