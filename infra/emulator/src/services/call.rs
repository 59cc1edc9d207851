//! One call to a store: its caller, and its IAM actions on resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use bytes::Bytes;
use serde_json::Value;

use super::dynamodb::is_usual;
use super::partiql;
use super::physical_names::Names;
use super::ses::bare;
use super::written::written_keys;
use crate::activity::KeyOfWrite;
use sam_template::ConditionKey;

/// The largest body of a call, `DynamoDB`'s own limit.
pub(super) const BODY_BYTES_MAX: usize = 16 << 20;

/// The path of Amazon SES version 2's `SendEmail`.
const SEND_EMAIL_PATH: &str = "/v2/email/outbound-emails";

/// A call to one of the stores.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The service.
    pub store: Store,
    /// The service's operation, `TransactWriteItems`.
    pub operation: String,
    /// The calling function; `None` for an operator or a test.
    pub caller: Option<Caller>,
    /// The IAM actions of the call, in the order of its body.
    pub accesses: Arc<[Access]>,
    /// The condition keys of the call, for policies.
    pub context: Context,
    /// The items that it writes to, in the order of its body, until the record takes them.
    pub writes: Vec<KeyOfWrite>,
    /// The unchanged body.
    pub body: Bytes,
    /// Whether it is a call of items, and its body has the usual form.
    pub is_usual: bool,
    /// Whether the console has a listener: then its units are requested.
    pub is_watched: bool,
}

/// The emulated services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    /// Amazon `DynamoDB` and `DynamoDB` Streams.
    Tables,
    /// Amazon SQS.
    Queues,
    /// AWS Secrets Manager.
    Secrets,
    /// Amazon SES.
    Mail,
}

/// The condition keys that policies compare, with their values.
pub(super) type Context = BTreeMap<ConditionKey, String>;

/// A function's process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The function's logical id.
    pub function: String,
    /// The execution environment, or empty if the call has none.
    pub environment: String,
}

/// An IAM action on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    /// The action, `dynamodb:PutItem`.
    pub action: String,
    /// The resource.
    pub resource: Resource,
}

/// The resource of an action; names are logical ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    /// A table.
    Table(String),
    /// An index of a table.
    Index(String, String),
    /// A queue.
    Queue(String),
    /// A secret.
    Secret(String),
    /// No specific resource.
    Any,
    /// A resource outside the template, by its name in the call.
    Other(String),
}

/// The table of the rate limits' counters, by its logical id.
const COUNTS: &str = "LimitsTable";

impl Call {
    /// Parses a call. `None` if it is of no emulated service.
    pub(super) fn read(names: &Names, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Option<Self> {
        let (store, operation) = addressee(uri, headers)?;
        // A body that is not JSON names no resource; the store reports the error.
        let input = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let mut context = Context::new();
        let accesses = match store {
            Store::Tables => table_accesses(names, operation, &input),
            Store::Queues => vec![queue_access(names, operation, &input)],
            Store::Secrets => vec![secret_access(names, operation, &input)],
            Store::Mail => {
                context.insert(ConditionKey::FromAddress, sender(&input).to_owned());
                mail_accesses(names, &input)
            }
        };
        let caller = caller(names, headers);
        let writes = match (store, &caller) {
            (Store::Tables, Some(_)) => written_keys(names, operation, &input),
            _ => Vec::new(),
        };
        Some(Self {
            store,
            operation: operation.to_owned(),
            caller,
            accesses: accesses.into(),
            context,
            writes,
            body,
            is_usual: store == Store::Tables && is_usual(operation, &input),
            is_watched: false,
        })
    }

    /// Whether the call writes to a table: kill faults apply to such calls. A counter in the limits
    /// table is no effect of the request and may run in parallel with its work.
    pub(super) fn is_commit(&self) -> bool {
        const COMMITS: [&str; 5] =
            ["BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"];
        let counts = |access: &Access| access.resource.name() == COUNTS;
        let is_write = |access: &Access| partiql::WRITES.contains(&access.action.as_str());
        self.store == Store::Tables
            && (COMMITS.contains(&self.operation.as_str()) || self.accesses.iter().any(is_write))
            && !self.accesses.iter().all(counts)
    }

    /// The names of the resources, each once.
    pub(super) fn resource_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for access in &*self.accesses {
            let name = access.resource.name();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The names of the resources, each once, separated by commas.
    pub(super) fn resources(&self) -> String {
        self.resource_names().join(",")
    }
}

impl Store {
    /// The service's name in records and metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tables => "dynamodb",
            Self::Queues => "sqs",
            Self::Secrets => "secretsmanager",
            Self::Mail => "ses",
        }
    }
}

impl Resource {
    /// Its name; empty if it is none in particular.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Table(name)
            | Self::Index(name, _)
            | Self::Queue(name)
            | Self::Secret(name)
            | Self::Other(name) => name,
            Self::Any => "",
        }
    }
}

/// The service and the operation: AWS JSON protocols name both in a header, SES by its path.
fn addressee<'a>(uri: &Uri, headers: &'a HeaderMap) -> Option<(Store, &'a str)> {
    if uri.path() == SEND_EMAIL_PATH {
        return Some((Store::Mail, "SendEmail"));
    }
    let target = headers.get("x-amz-target")?.to_str().ok()?;
    let (service, operation) = target.rsplit_once('.')?;
    let store = match service {
        "DynamoDB_20120810" | "DynamoDBStreams_20120810" => Store::Tables,
        "AmazonSQS" => Store::Queues,
        "secretsmanager" => Store::Secrets,
        _ => return None,
    };
    Some((store, operation))
}

/// The function from the access key, and the environment from the session token.
fn caller(names: &Names, headers: &HeaderMap) -> Option<Caller> {
    let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    let access_key = credential.split('/').next()?;
    let function = names.function_of(access_key)?.to_owned();
    let token = headers.get("x-amz-security-token").and_then(|token| token.to_str().ok());
    Some(Caller { function, environment: token.unwrap_or_default().to_owned() })
}

fn table_accesses(names: &Names, operation: &str, input: &Value) -> Vec<Access> {
    let access = |action: &str, table: &Value, index: &Value| Access {
        action: format!("dynamodb:{action}"),
        resource: table_resource(names, table, index),
    };
    if let Some(statements) = partiql::statements(operation, input) {
        let accesses = statements.map(|statement| match partiql::parts(statement) {
            Some((action, table, index)) => Access {
                action: action.to_owned(),
                resource: table_resource(names, &table.into(), &index.into()),
            },
            None => access(operation, &Value::Null, &Value::Null),
        });
        return accesses.collect();
    }
    match operation {
        // A transaction needs the permission for each of its actions.
        "TransactWriteItems" | "TransactGetItems" => actions_of_transaction(input)
            .map(|(kind, action)| access(item_action(kind), &action["TableName"], &Value::Null))
            .collect(),
        "BatchGetItem" | "BatchWriteItem" => input["RequestItems"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(table, _)| access(operation, &Value::from(table.as_str()), &Value::Null))
            .collect(),
        _ => vec![access(operation, &input["TableName"], &input["IndexName"])],
    }
}

fn actions_of_transaction(input: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let items = input["TransactItems"].as_array().into_iter().flatten();
    let actions = items.filter_map(|item| item.as_object()?.iter().next());
    actions.map(|(kind, action)| (kind.as_str(), action))
}

fn item_action(kind: &str) -> &str {
    match kind {
        "Get" => "GetItem",
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        "ConditionCheck" => "ConditionCheckItem",
        other => other,
    }
}

/// The table or the index that a call names.
fn table_resource(names: &Names, table: &Value, index: &Value) -> Resource {
    let Some(called) = table.as_str() else {
        return Resource::Any;
    };
    match (names.table_called(called), index.as_str()) {
        (Some(table), Some(index)) => Resource::Index(table.to_owned(), index.to_owned()),
        (Some(table), None) => Resource::Table(table.to_owned()),
        (None, Some(index)) => Resource::Other(format!("{called}/index/{index}")),
        (None, None) => Resource::Other(called.to_owned()),
    }
}

fn queue_access(names: &Names, operation: &str, input: &Value) -> Access {
    // The batch operations need the permission of the single ones.
    let action = format!("sqs:{}", operation.strip_suffix("Batch").unwrap_or(operation));
    let called = input["QueueUrl"].as_str().or_else(|| input["QueueName"].as_str());
    let resource = called.map_or(Resource::Any, |called| match names.queue_called(called) {
        Some(queue) => Resource::Queue(queue.to_owned()),
        None => Resource::Other(called.to_owned()),
    });
    Access { action, resource }
}

fn secret_access(names: &Names, operation: &str, input: &Value) -> Access {
    let called = input["SecretId"].as_str();
    let resource = called.map_or(Resource::Any, |called| match names.secret_called(called) {
        Some(secret) => Resource::Secret(secret.to_owned()),
        None => Resource::Other(called.to_owned()),
    });
    Access { action: format!("secretsmanager:{operation}"), resource }
}

/// The IAM actions of a mail. Its resources are the verified identity of the sender and the
/// configuration set; in the sandbox also the identities of recipients.
fn mail_accesses(names: &Names, input: &Value) -> Vec<Access> {
    let identities = names.identities();
    let sender = sender(input);
    let sender = [identities.of(sender).unwrap_or(sender)];
    let recipients = recipients(input).filter(|_| identities.is_sandbox());
    let recipients = recipients.filter_map(|recipient| identities.of(recipient));
    let identities = sender.into_iter().chain(recipients).map(|it| format!("identity/{it}"));
    let set = input["ConfigurationSetName"].as_str().map(|set| format!("configuration-set/{set}"));
    let resources = identities.chain(set).map(Resource::Other);
    resources.map(|resource| Access { action: "ses:SendEmail".to_owned(), resource }).collect()
}

/// The sender's address, without a display name.
fn sender(input: &Value) -> &str {
    bare(input["FromEmailAddress"].as_str().unwrap_or_default())
}

/// The recipients' addresses.
fn recipients(input: &Value) -> impl Iterator<Item = &str> {
    let lists = ["ToAddresses", "CcAddresses", "BccAddresses"];
    let lists = lists.into_iter().filter_map(|list| input["Destination"][list].as_array());
    lists.flatten().filter_map(Value::as_str).map(bare)
}

#[cfg(test)]
pub(super) mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;
    use crate::services::physical_names::access_key;
    use crate::services::ses::Identities;
    use crate::services::tests::template;

    /// A call on the tables of the tests' template.
    pub(in crate::services) fn call_by(function: &str, operation: &str, body: &str) -> Call {
        let template = template();
        let identities = Identities::of_sender(&template, false);
        let mut names = Names::new(&template, ([127, 0, 0, 1], 4566).into(), identities);
        for table in template.tables.values() {
            names.add_table(table, None);
        }
        let credential = format!("AWS4-HMAC-SHA256 Credential={}/20260101/x", access_key(function));
        let target = format!("DynamoDB_20120810.{operation}");
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, HeaderValue::from_str(&credential).unwrap()),
            ("x-amz-target".parse().unwrap(), HeaderValue::from_str(&target).unwrap()),
            ("x-amz-security-token".parse().unwrap(), HeaderValue::from_static("environment-1")),
        ]);
        let body = Bytes::copy_from_slice(body.as_bytes());
        Call::read(&names, &Uri::from_static("/"), &headers, body).unwrap()
    }

    #[test]
    fn a_transaction_has_the_accesses_of_its_actions() {
        let body = json!({"TransactItems": [
            {"Put": {"TableName": "local-OrdersTable"}},
            {"ConditionCheck": {"TableName": "local-UsersTable"}},
            {"Update": {"TableName": "elsewhere"}},
        ]});

        let call = call_by("GetUserFunction", "TransactWriteItems", &body.to_string());

        let expected = [
            ("dynamodb:PutItem", Resource::Table("OrdersTable".into())),
            ("dynamodb:ConditionCheckItem", Resource::Table("UsersTable".into())),
            ("dynamodb:UpdateItem", Resource::Other("elsewhere".into())),
        ];
        let expected =
            expected.map(|(action, resource)| Access { action: action.into(), resource });
        assert_eq!(*call.accesses, expected);
        assert_eq!(call.resources(), "OrdersTable,UsersTable,elsewhere");
        assert!(call.is_commit());
    }

    #[test]
    fn a_call_has_its_function_and_environment() {
        let call = call_by("GetUserFunction", "Query", r#"{"TableName": "local-UsersTable"}"#);

        let function = "GetUserFunction".to_owned();
        let environment = "environment-1".to_owned();
        assert_eq!(call.caller, Some(Caller { function, environment }));
        assert!(!call.is_commit());
        let count = call_by("GetUserFunction", "UpdateItem", r#"{"TableName": "LimitsTable"}"#);
        assert!(!count.is_commit());
    }

    #[test]
    fn a_statement_that_writes_is_a_commit_to_its_table() {
        let call = |statement: &str| {
            let body = json!({ "Statement": statement }).to_string();
            call_by("GetUserFunction", "ExecuteStatement", &body)
        };
        let insert = call("INSERT INTO \"local-UsersTable\" VALUE {}");
        let resource = Resource::Table("UsersTable".to_owned());
        let action = "dynamodb:PartiQLInsert".to_owned();
        assert_eq!(*insert.accesses, [Access { action, resource }]);
        assert!(insert.is_commit() && !call("SELECT * FROM \"local-UsersTable\"").is_commit());
    }
}
