//! The embedded tables, served as DynamoDB is, and the units of the calls.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::ops::{Add, Range, Sub};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::resources::{
    ADDRESSES, BY_CREATION, BY_CUSTOMER, BY_DEADLINE, COUNTERS, ORDER_SUMMARIES, ORDERS, PRODUCTS,
    USERS,
};
use dynoxide::{Database, DynoxideError, ImportOptions, Item};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use lifecycle::commit::BY_WAITING;
use lifecycle::idempotency::IDEMPOTENCY_KEYS;
use lifecycle::limit::LIMITS;
use lifecycle::record::{IndexName, TableName};
use lifecycle::resource::OUTBOX;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tooling::Error;

use super::work::Work;

/// The tables of the measured functions, with their indexes.
const TABLES: [(TableName, &[IndexName]); 9] = [
    (ORDERS, &[BY_CREATION, BY_DEADLINE]),
    (ORDER_SUMMARIES, &[BY_CUSTOMER]),
    (OUTBOX, &[BY_WAITING]),
    (COUNTERS, &[]),
    (PRODUCTS, &[BY_CREATION]),
    (ADDRESSES, &[]),
    (USERS, &[]),
    (IDEMPOTENCY_KEYS, &[]),
    (LIMITS, &[]),
];

/// The number of rows that are imported together.
const CHUNK: usize = 10_000;
/// The pause after a failed accept.
const PAUSE: Duration = Duration::from_millis(50);

/// Tables in memory, and their server. Both end when this value is dropped.
pub(super) struct Tables {
    url: String,
    store: Arc<Store>,
    server: JoinHandle<()>,
}

struct Store {
    database: Database,
    used: Mutex<Used>,
}

/// The units that calls have used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Used {
    pub(super) calls: f64,
    pub(super) read_units: f64,
    pub(super) write_units: f64,
}

impl Add for Used {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            read_units: self.read_units + other.read_units,
            write_units: self.write_units + other.write_units,
        }
    }
}

impl Sub for Used {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            calls: self.calls - other.calls,
            read_units: self.read_units - other.read_units,
            write_units: self.write_units - other.write_units,
        }
    }
}

impl Used {
    pub(super) fn divided_by(self, invocations: u32) -> Self {
        let part = |used: f64| used / f64::from(invocations);
        Self {
            calls: part(self.calls),
            read_units: part(self.read_units),
            write_units: part(self.write_units),
        }
    }
}

impl Tables {
    pub(super) async fn start() -> Result<Self, Error> {
        let database = Database::memory()?;
        for (table, indexes) in TABLES {
            database.create_table(serde_json::from_value(creation(table, indexes))?)?;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let store = Arc::new(Store { database, used: Mutex::default() });
        let server = tokio::spawn(accept(listener, Arc::clone(&store)));
        Ok(Self { url, store, server })
    }

    /// The environment variables of functions that use these tables.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let names = TABLES.iter().map(|(table, _)| (table.variable(), table.name().to_owned()));
        let url = ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), self.url.clone());
        names.chain([url]).collect()
    }

    /// Adds the rows with these numbers to the table that grows for a work.
    pub(super) fn fill(&self, work: Work, numbers: Range<u32>) -> Result<(), Error> {
        for first in numbers.clone().step_by(CHUNK) {
            let chunk = first..numbers.end.min(first.saturating_add(u32::try_from(CHUNK)?));
            let rows: Result<Vec<_>, Error> = chunk.map(|number| work.row(number)).collect();
            self.import(rows?)?;
        }
        Ok(())
    }

    /// Stores rows, without a call that counts.
    pub(super) fn import(&self, rows: Vec<(TableName, Value)>) -> Result<(), Error> {
        for (table, _) in TABLES {
            let rows = rows.iter().filter(|(of, _)| *of == table);
            let items: Result<Vec<Item>, _> =
                rows.map(|(_, item)| serde_json::from_value(item.clone())).collect();
            let items = items?;
            if !items.is_empty() {
                self.store.database.import_items(table.name(), items, ImportOptions::default())?;
            }
        }
        Ok(())
    }

    /// The units of all calls so far.
    pub(super) fn used(&self) -> Used {
        *self.store.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The call that creates a table. All keys are texts.
fn creation(table: TableName, indexes: &[IndexName]) -> Value {
    let schema = |partition: &str, sort: Option<&str>| -> Vec<Value> {
        let partition = json!({ "AttributeName": partition, "KeyType": "HASH" });
        let sort = sort.map(|sort| json!({ "AttributeName": sort, "KeyType": "RANGE" }));
        [partition].into_iter().chain(sort).collect()
    };
    let sort = table.is_sorted().then_some(table.sort_key());
    let mut attributes = vec![table.partition_key().to_owned()];
    attributes.extend(sort.map(str::to_owned));
    let mut secondary = Vec::new();
    for index in indexes {
        let (partition, position) = (index.partition_attribute(), index.position_attribute());
        secondary.push(json!({
            "IndexName": index.name(),
            "KeySchema": schema(&partition, Some(&position)),
            "Projection": { "ProjectionType": "ALL" },
        }));
        attributes.extend([partition, position]);
    }
    let text = |name: &String| json!({ "AttributeName": name, "AttributeType": "S" });
    let mut creation = json!({
        "TableName": table.name(),
        "KeySchema": schema(table.partition_key(), sort),
        "AttributeDefinitions": attributes.iter().map(text).collect::<Vec<_>>(),
        "BillingMode": "PAY_PER_REQUEST",
    });
    if !secondary.is_empty() {
        creation["GlobalSecondaryIndexes"] = secondary.into();
    }
    creation
}

async fn accept(listener: TcpListener, store: Arc<Store>) {
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            // With too many open files, the next attempt may succeed.
            sleep(PAUSE).await;
            continue;
        };
        tokio::spawn(serve(connection, Arc::clone(&store)));
    }
}

async fn serve(connection: TcpStream, store: Arc<Store>) {
    // Responses are small, so send packets at once.
    let _ = connection.set_nodelay(true);
    let service = service_fn(move |request| {
        let store = Arc::clone(&store);
        async move { Ok::<_, Infallible>(store.respond(request).await) }
    });
    // Ignore errors: functions end without closing their connections.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

impl Store {
    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.split_once('.')).map(|(_, it)| it);
        let (status, answer) = match operation {
            // A request without an operation only opens a connection.
            None => (200, "{}".to_owned()),
            Some(operation) => match self.answer(operation, &body) {
                Ok(answer) => (200, answer.to_string()),
                Err(error) => (error.status_code(), error.to_json()),
            },
        };
        let mut response = Response::new(Full::new(Bytes::from(answer)));
        *response.status_mut() = status.try_into().unwrap_or_default();
        response
    }

    fn answer(&self, operation: &str, body: &[u8]) -> Result<Value, DynoxideError> {
        let unreadable =
            |error: serde_json::Error| DynoxideError::ValidationException(error.to_string());
        let mut request: Value = serde_json::from_slice(body).map_err(unreadable)?;
        request["ReturnConsumedCapacity"] = "TOTAL".into();
        let database = &self.database;
        let answer = match operation {
            "BatchGetItem" => call(request, |it| database.batch_get_item(it)),
            "DeleteItem" => call(request, |it| database.delete_item(it)),
            "GetItem" => call(request, |it| database.get_item(it)),
            "PutItem" => call(request, |it| database.put_item(it)),
            "Query" => call(request, |it| database.query(it)),
            "TransactWriteItems" => call(request, |it| database.transact_write_items(it)),
            "UpdateItem" => call(request, |it| database.update_item(it)),
            _ => Err(DynoxideError::ValidationException(format!("no {operation} is served here"))),
        }?;
        let writes = !matches!(operation, "BatchGetItem" | "GetItem" | "Query");
        self.count(writes, &answer["ConsumedCapacity"]);
        Ok(answer)
    }

    /// Counts a call. Its capacity is an object, or a list with one for each table.
    fn count(&self, writes: bool, capacity: &Value) {
        let one = capacity.is_object().then_some(capacity);
        let each = one.into_iter().chain(capacity.as_array().into_iter().flatten());
        let units: f64 = each.filter_map(|one| one["CapacityUnits"].as_f64()).sum();
        let (read_units, write_units) = if writes { (0.0, units) } else { (units, 0.0) };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = *used + Used { calls: 1.0, read_units, write_units };
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(
    request: Value,
    perform: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Value, DynoxideError> {
    let unreadable =
        |error: serde_json::Error| DynoxideError::ValidationException(error.to_string());
    let request = serde_json::from_value(request).map_err(unreadable)?;
    serde_json::to_value(perform(request)?).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_is_answered_and_its_units_are_counted() {
        let tables = Tables::start().await.unwrap();
        tables.fill(Work::List, 0..3).unwrap();
        let before = tables.used();
        let (table, row) = Work::List.row(1).unwrap();
        let key = json!({ "TableName": table.name(), "Key": { "pk": row["pk"] } });
        let answer = tables.store.answer("GetItem", key.to_string().as_bytes()).unwrap();
        assert_eq!(answer["Item"], row);
        let used = tables.used() - before;
        assert_eq!((used.calls, used.write_units), (1.0, 0.0));
        assert!(used.read_units > 0.0);
        assert!(tables.store.answer("Scan", b"{}").is_err());
        assert!(tables.store.answer("GetItem", b"").is_err());
    }
}
