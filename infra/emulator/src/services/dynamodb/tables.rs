//! The embedded `DynamoDB`: the template's tables, their streams and their expiry.

use std::path::Path;

use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use dynoxide::actions::get_records::Record;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::{Database, DynoxideError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::json::plain_item_with_integers;
use super::server::{Server, ServerError};
use super::{direct, kept, private, retention};
use crate::clock::Clock;
use crate::services::error::StartError;
use sam_template::{Index, Key, Projection, StartingPosition, StreamView, Table};

/// The database file in a data directory.
const FILE_NAME: &str = "tables.sqlite";

/// The table of the event sources' checkpoints. It is in the same database, so that a restart
/// continues where the last run ended.
const CHECKPOINTS: &str = "platform-checkpoints";

/// The maximum number of items that a scan for the control address reads.
const SCAN_MAX: usize = 1_000;

/// The tables, in memory or in a file.
#[derive(Clone)]
pub(crate) struct Tables {
    pub(super) database: Database,
    pub(super) server: Server,
}

impl Tables {
    /// Opens the tables and starts their server, which ends when `shutdown` completes.
    ///
    /// # Errors
    /// If the file cannot be opened or no port can be bound.
    pub(crate) async fn start(
        data: Option<&Path>,
        clock: &Clock,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Self, StartError> {
        let database = open(data, clock)?;
        let server = Server::start(&database, shutdown).await.map_err(StartError::Port)?;
        let tables = Self { database, server };
        let checkpoints = tables.create(&json!({
            "TableName": CHECKPOINTS,
            "KeySchema": [{"AttributeName": "source", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "source", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        }));
        checkpoints.map_err(StartError::Tables)?;
        Ok(tables)
    }

    /// Creates a table of the template, unless the file has it from an earlier run. Returns its
    /// stream's label, if any.
    ///
    /// # Errors
    /// If it cannot be created, or the kept table differs from the template's.
    pub(crate) fn add(&self, table: &Table) -> Result<Option<String>, StartError> {
        let id = &table.logical_id;
        self.set_up(table)
            .map_err(|source| StartError::Table { table: id.clone(), source })?
            .map_err(|part| StartError::DataDiffers { table: id.clone(), part })
    }

    /// Creates a table. The inner error is the part in which the kept table differs.
    fn set_up(&self, table: &Table) -> Result<Result<Option<String>, &'static str>, DynoxideError> {
        let name = &table.name;
        let wanted = creation(name, table);
        if !self.create(&wanted)? {
            let described = self.database.describe_table(request(&json!({"TableName": name})))?;
            if let Some(part) = kept::difference(&json!(described)["Table"], &wanted) {
                return Ok(Err(part));
            }
        }
        if let Some(attribute) = &table.ttl_attribute {
            self.expire_by(name, attribute)?;
        }
        let described = self.database.get_table_metadata(name)?;
        Ok(Ok(described.and_then(|table| table.stream_label)))
    }

    /// Creates a table. Returns false if it is there already.
    fn create(&self, table: &Value) -> Result<bool, DynoxideError> {
        match self.database.create_table(request(table)) {
            Ok(_) => Ok(true),
            Err(DynoxideError::ResourceInUseException(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn expire_by(&self, name: &str, attribute: &str) -> Result<(), DynoxideError> {
        let described =
            self.database.describe_time_to_live(request(&json!({"TableName": name})))?;
        if described.time_to_live_description.attribute_name.as_deref() == Some(attribute) {
            return Ok(());
        }
        let wanted = json!({"AttributeName": attribute, "Enabled": true});
        let wanted = json!({"TableName": name, "TimeToLiveSpecification": wanted});
        let updated = self.database.update_time_to_live(request(&wanted));
        updated.map(drop)
    }

    /// Answers a call: here, if its body [`is_usual`](super::is_usual) and can be read, and otherwise
    /// by the server.
    ///
    /// # Errors
    /// If the server does not respond.
    pub(crate) async fn answer(
        &self,
        operation: &str,
        is_usual: bool,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response, ServerError> {
        if is_usual && let Some(answer) = direct::answer(&self.database, operation, &headers, &body)
        {
            return Ok(answer);
        }
        self.server.answer(headers, body).await
    }

    /// Writes an item in `DynamoDB`'s JSON.
    pub(crate) fn put(&self, name: &str, item: &Value) -> Result<(), DynoxideError> {
        let request = parse(&json!({"TableName": name, "Item": item}))?;
        self.database.put_item(request).map(drop)
    }

    /// The first items of a table as plain JSON, and whether there are more.
    pub(crate) fn scan(&self, name: &str) -> Result<(Vec<Value>, bool), DynoxideError> {
        let request = ScanRequest {
            table_name: name.to_owned(),
            limit: Some(SCAN_MAX),
            ..ScanRequest::default()
        };
        let found = self.database.scan(request)?;
        let items = found.items.unwrap_or_default();
        let items = items.iter().map(|item| plain_item_with_integers(&json!(item))).collect();
        Ok((items, found.last_evaluated_key.is_some()))
    }

    /// Deletes expired items on a separate thread. Returns the number of items.
    pub(crate) async fn sweep(&self) -> Result<usize, DynoxideError> {
        let database = self.database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        swept.unwrap_or_else(|panic| Err(DynoxideError::InternalServerError(panic.to_string())))
    }

    /// The next records of a table's stream.
    ///
    /// # Errors
    /// If the table has no stream or the store fails.
    pub(crate) fn records(
        &self,
        name: &str,
        position: &StreamPosition,
        limit: usize,
    ) -> Result<Vec<Record>, DynoxideError> {
        let (kind, after) = match position {
            StreamPosition::TrimHorizon => ("TRIM_HORIZON", None),
            StreamPosition::After(number) => ("AFTER_SEQUENCE_NUMBER", Some(number)),
        };
        let iterator = self.database.get_shard_iterator(request(&json!({
            "StreamArn": dynoxide::streams::stream_arn(name, ""),
            "ShardId": dynoxide::streams::shard_id(name),
            "ShardIteratorType": kind,
            "SequenceNumber": after,
        })))?;
        let iterator = json!({"ShardIterator": iterator.shard_iterator, "Limit": limit});
        Ok(self.database.get_records(request(&iterator))?.records)
    }

    /// The starting position of a stream's reader without a checkpoint.
    pub(crate) fn start_of(
        &self,
        name: &str,
        from: StartingPosition,
    ) -> Result<StreamPosition, DynoxideError> {
        let mut position = StreamPosition::TrimHorizon;
        if from == StartingPosition::Latest {
            while let Some(last) = self.records(name, &position, SCAN_MAX)?.pop() {
                position = StreamPosition::After(last.dynamodb.sequence_number);
            }
        }
        Ok(position)
    }

    /// The checkpoint of an event source.
    pub(crate) fn checkpoint(&self, source: &str) -> Result<Option<StreamPosition>, DynoxideError> {
        let key = json!({"TableName": CHECKPOINTS, "Key": {"source": {"S": source}}});
        let found = json!(self.database.get_item(request(&key))?.item);
        let number = found["position"]["S"].as_str();
        Ok(number.map(|number| StreamPosition::After(number.to_owned())))
    }

    /// Saves the checkpoint of an event source.
    pub(crate) fn set_checkpoint(&self, source: &str, number: &str) -> Result<(), DynoxideError> {
        self.put(CHECKPOINTS, &json!({"source": {"S": source}, "position": {"S": number}}))
    }
}

/// A position in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamPosition {
    /// Before the oldest record.
    TrimHorizon,
    /// After the record of this sequence number.
    After(String),
}

fn open(data: Option<&Path>, clock: &Clock) -> Result<Database, StartError> {
    let Some(directory) = data else {
        return retention::in_memory(clock).map_err(StartError::Tables);
    };
    let unusable = |source| StartError::Data { path: directory.to_owned(), source };
    let file = directory.join(FILE_NAME);
    private::prepare(directory, &file).map_err(unusable)?;
    let database = retention::in_file(&file.to_string_lossy()).map_err(StartError::Tables)?;
    private::close(directory, &file).map_err(unusable)?;
    Ok(database)
}

/// The `CreateTable` request for a table of the template.
fn creation(name: &str, table: &Table) -> Value {
    let attributes = table.attributes.iter();
    let attributes = attributes
        .map(|(name, kind)| json!({"AttributeName": name, "AttributeType": format!("{kind:?}")}));
    let definition = |index: &Index| {
        let projection = match &index.projection {
            Projection::All => json!({"ProjectionType": "ALL"}),
            Projection::KeysOnly => json!({"ProjectionType": "KEYS_ONLY"}),
            Projection::Include(names) => {
                json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": names})
            }
        };
        json!({
            "IndexName": index.name,
            "KeySchema": key_schema(&index.key),
            "Projection": projection,
        })
    };
    let mut creation = json!({
        "TableName": name,
        "KeySchema": key_schema(&table.key),
        "AttributeDefinitions": attributes.collect::<Vec<_>>(),
        "BillingMode": "PAY_PER_REQUEST",
    });
    for (kind, indexes) in [
        ("GlobalSecondaryIndexes", &table.indexes),
        ("LocalSecondaryIndexes", &table.local_indexes),
    ] {
        if !indexes.is_empty() {
            creation[kind] = indexes.iter().map(definition).collect();
        }
    }
    if let Some(view) = table.stream {
        creation["StreamSpecification"] =
            json!({"StreamEnabled": true, "StreamViewType": view_type(view)});
    }
    creation
}

fn key_schema(key: &Key) -> Value {
    let partition = json!({"AttributeName": key.partition, "KeyType": "HASH"});
    let sort = key.sort.iter().map(|sort| json!({"AttributeName": sort, "KeyType": "RANGE"}));
    std::iter::once(partition).chain(sort).collect()
}

fn view_type(view: StreamView) -> &'static str {
    match view {
        StreamView::KeysOnly => "KEYS_ONLY",
        StreamView::NewImage => "NEW_IMAGE",
        StreamView::OldImage => "OLD_IMAGE",
        StreamView::NewAndOldImages => "NEW_AND_OLD_IMAGES",
    }
}

/// A request built by the platform.
fn request<T: DeserializeOwned>(input: &Value) -> T {
    parse(input).expect("the platform's own requests are valid")
}

pub(super) fn parse<T: DeserializeOwned>(input: &Value) -> Result<T, DynoxideError> {
    serde_json::from_str(&input.to_string())
        .map_err(|error| DynoxideError::ValidationException(error.to_string()))
}
