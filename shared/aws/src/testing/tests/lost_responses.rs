//! A single write whose response is lost, while another writer changes the item.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::{Request, Response};
use lifecycle::Endpoint;
use lifecycle::prelude::*;
use lifecycle::record::{Key, Record, TableName};
use lifecycle::testing::simulated::start;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::invocations::invocation;
use crate::testing::{AsyncRespond, ConnectorFailure, connector};
use crate::{Aws, Table};

const SHELVES: TableName = TableName::new("shelves");

#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
struct Shelf {
    name: String,
    label: String,
    version: u64,
}

impl Record for Shelf {
    const TABLE: TableName = SHELVES;

    fn key(&self) -> Key {
        Key::new(&self.name)
    }
}

#[derive(Debug, eserde::Deserialize, schemars::JsonSchema)]
struct NewLabel {
    label: String,
}

/// Gives the only shelf another label: a read, and a commit of one write.
struct PutLabel {
    shelves: Table<Shelf>,
}

fn main_of_put_label() -> ExitCode {
    crate::serve(|aws: &Aws| PutLabel { shelves: aws.table() })
}

impl Endpoint for PutLabel {
    const ROUTE: Route = Route::put("/label");
    type Caller = Anyone;
    const ACCESS: Access<NoRole> = Access::Public;
    const LIMIT: Limit = Limit::OFF;
    const RESOURCES: Resources = &[Resource::Table(SHELVES, &[GetItem, PutItem])];
    type Input = Json<NewLabel>;
    type Command = NewLabel;
    type Facts = Shelf;

    async fn retrieve(&self, permit: &Permit<Anyone>, _: &NewLabel) -> Retrieved<Shelf> {
        let shelf = self.shelves.get(permit, &Key::new("A")).await?;
        shelf.ok_or(RetrieveError::NotFound)
    }

    const ALLOW: Allow<Self> = Allow::Always;
    const CONDITIONS: Conditions<Shelf> = Conditions::Untagged;
    type Outcome = Shelf;

    fn decide(
        _: &Moment,
        _: &Anyone,
        NewLabel { label }: &NewLabel,
        shelf: Shelf,
    ) -> Result<Shelf, DomainError> {
        Ok(Shelf { label: label.clone(), version: shelf.version + 1, ..shelf })
    }

    fn effects(shelf: &Shelf) -> Effects {
        Effects::none().write(Write::replace(shelf, shelf.version - 1))
    }

    type Reply = reply::Ok<Shelf>;

    fn reply(shelf: Shelf) -> reply::Ok<Shelf> {
        reply::Ok::of(shelf)
    }
}

/// A table in which another writer is ahead of the first write, whose response may be lost.
struct Contended {
    loses_response: bool,
    /// The exception of a write that the other writer's one refuses.
    refusal: &'static str,
    calls: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl AsyncRespond for Contended {
    async fn respond(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, ConnectorFailure> {
        let target = request.headers().get("x-amz-target");
        let target = target.map_or("", |target| target.to_str().unwrap());
        let operation = target.split('.').next_back().unwrap_or_default().to_owned();
        let writes = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(operation.clone());
            calls.iter().filter(|call| *call == "PutItem").count()
        };
        let refused = if self.loses_response { 2 } else { 1 };
        let (status, body) = match (operation.as_str(), writes) {
            ("GetItem", 0) => (200, json!({ "Item": shelf("first", 1) })),
            ("GetItem", _) => (200, json!({ "Item": shelf("another's", 3) })),
            ("PutItem", 1) if self.loses_response => return Err(ConnectorFailure::Reset),
            ("PutItem", write) if write == refused => (
                400,
                json!({
                    "__type": format!("com.amazonaws.dynamodb.v20120810#{}", self.refusal),
                    "message": "The write is refused", "Item": shelf("another's", 3),
                }),
            ),
            _ => (200, json!({})),
        };
        Ok(Response::builder().status(status).body(body.to_string().into_bytes()).unwrap())
    }
}

fn shelf(label: &str, version: u64) -> Value {
    json!({
        "pk": { "S": "A" }, "name": { "S": "A" }, "label": { "S": label },
        "version": { "N": version.to_string() }, "writtenBy": { "S": "another" },
    })
}

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "AWS_REGION" => "eu-central-1",
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "simulated",
        "SHELVES_TABLE" => "shelves",
        _ => return None,
    };
    Some(value.to_owned())
}

/// The status of the response, and the operations that were called.
async fn put_label(loses_response: bool, refusal: &'static str) -> (Value, Vec<String>) {
    let calls = Arc::<Mutex<Vec<String>>>::default();
    let network = connector(Contended { loses_response, refusal, calls: Arc::clone(&calls) });
    let put_label = network.scope(|| start(Arc::new(variable), main_of_put_label)).unwrap();
    let invocation = invocation("PUT", "/label", &json!({ "label": "mine" }), &[]);
    let returned = put_label.invoke(invocation).await.unwrap();
    let calls = calls.lock().unwrap().clone();
    (returned.payload["statusCode"].clone(), calls)
}

/// The other writer has written, or its transaction is under way.
const REFUSALS: [&str; 2] = ["ConditionalCheckFailedException", "TransactionConflictException"];

/// The first attempt may have written before the other writer. A second decision would undo the
/// other's change.
#[tokio::test(start_paused = true)]
async fn a_lost_response_and_another_writer_are_503_without_a_second_write() {
    for refusal in REFUSALS {
        let (status, calls) = put_label(true, refusal).await;

        let expected = owned(&["GetItem", "PutItem", "PutItem"]);
        assert_eq!((status, calls), (json!(503), expected), "{refusal}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_writer_alone_leads_to_a_second_decision() {
    for refusal in REFUSALS {
        let (status, calls) = put_label(false, refusal).await;

        let expected = owned(&["GetItem", "PutItem", "GetItem", "PutItem"]);
        assert_eq!((status, calls), (json!(200), expected), "{refusal}");
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
