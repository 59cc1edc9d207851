//! The physical names of the template's tables, queues and secrets.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use super::ses::Identities;
use sam_template::{ACCOUNT_ID, Queue, REGION, Reference, Secret, Table, Template, function_arn};

/// Maps logical ids to physical names, URLs and ARNs, and back.
#[derive(Debug, Clone, Default)]
pub struct Names {
    tables: BTreeMap<String, TableName>,
    queues: BTreeMap<String, QueueName>,
    secrets: BTreeMap<String, SecretName>,
    /// Configuration sets of SES have only a name.
    configuration_sets: BTreeMap<String, String>,
    identities: Identities,
    /// The functions by access key.
    functions: HashMap<String, String>,
    /// The physical names of functions, by logical id.
    function_names: BTreeMap<String, String>,
}

/// The names of a created table.
#[derive(Debug, Clone)]
pub struct TableName {
    /// `local-OrdersTable`, unless the template has another name.
    pub name: String,
    /// The table's ARN. An index's ARN adds `/index/` and its name.
    pub arn: String,
    /// The partition key attribute.
    pub partition_key: String,
    /// The sort key attribute, if the table has one.
    pub sort_key: Option<String>,
    /// The stream's ARN, if the table has one.
    pub stream_arn: Option<String>,
}

/// The names of a created queue.
#[derive(Debug, Clone)]
pub struct QueueName {
    /// `local-EmailsQueue`, unless the template has another name.
    pub name: String,
    /// The queue URL.
    pub url: String,
    /// Its ARN.
    pub arn: String,
}

/// The names of a created secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SecretName {
    /// `local-SigningKeysSecret`, unless the template has another name.
    pub name: String,
    /// Its ARN, with the six characters that Secrets Manager appends.
    pub arn: String,
}

impl Names {
    /// Names the template's functions and queues. Tables and secrets are added when they are
    /// created.
    pub(super) fn new(template: &Template, endpoint: SocketAddr, identities: Identities) -> Self {
        let queues = template.queues.values();
        let queues = queues.map(|queue| (queue.logical_id.clone(), queue_name(queue, endpoint)));
        let functions = template.functions.keys();
        let functions = functions.map(|function| (access_key(function), function.clone()));
        let function_names = template.functions.iter();
        let function_names = function_names.map(|(id, it)| (id.clone(), it.name.clone()));
        Self {
            queues: queues.collect(),
            functions: functions.collect(),
            function_names: function_names.collect(),
            configuration_sets: template.configuration_sets.clone(),
            identities,
            ..Self::default()
        }
    }

    pub(super) fn add_table(&mut self, table: &Table, stream_label: Option<&str>) {
        let name = table.name.clone();
        let arn = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{name}");
        let known = TableName {
            stream_arn: stream_label.map(|label| format!("{arn}/stream/{label}")),
            partition_key: table.key.partition.clone(),
            sort_key: table.key.sort.clone(),
            name,
            arn,
        };
        self.tables.insert(table.logical_id.clone(), known);
    }

    pub(super) fn add_secret(&mut self, secret: &Secret, arn: String) {
        let name = secret.name.clone();
        self.secrets.insert(secret.logical_id.clone(), SecretName { name, arn });
    }

    /// The value of a template reference, if it refers to a resource of the stores.
    pub fn look_up(&self, reference: &Reference) -> Option<String> {
        let id = &reference.resource;
        let attribute = reference.attribute.as_deref();
        if let Some(table) = self.tables.get(id) {
            return match attribute {
                None => Some(table.name.clone()),
                Some("Arn") => Some(table.arn.clone()),
                Some("StreamArn") => table.stream_arn.clone(),
                Some(_) => None,
            };
        }
        if let Some(queue) = self.queues.get(id) {
            return match attribute {
                None | Some("QueueUrl") => Some(queue.url.clone()),
                Some("Arn") => Some(queue.arn.clone()),
                Some("QueueName") => Some(queue.name.clone()),
                Some(_) => None,
            };
        }
        if let Some(set) = self.configuration_sets.get(id) {
            return attribute.is_none().then(|| set.clone());
        }
        let secret = self.secrets.get(id)?;
        matches!(attribute, None | Some("Id")).then(|| secret.arn.clone())
    }

    /// A table by its logical id.
    pub fn table(&self, logical_id: &str) -> Option<&TableName> {
        self.tables.get(logical_id)
    }

    /// A queue by its logical id.
    pub fn queue(&self, logical_id: &str) -> Option<&QueueName> {
        self.queues.get(logical_id)
    }

    /// A secret by its logical id.
    pub fn secret(&self, logical_id: &str) -> Option<&SecretName> {
        self.secrets.get(logical_id)
    }

    /// The logical id of the configuration set that a call names.
    pub(super) fn configuration_set_called(&self, called: &str) -> Option<&str> {
        let found = self.configuration_sets.iter().find(|(_, name)| *name == called);
        found.map(|(id, _)| id.as_str())
    }

    /// The verified identities of SES.
    pub(super) fn identities(&self) -> &Identities {
        &self.identities
    }

    /// All secrets, by logical id.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &SecretName)> {
        self.secrets.iter().map(|(id, secret)| (id.as_str(), secret))
    }

    /// All tables, by logical id.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &TableName)> {
        self.tables.iter().map(|(id, table)| (id.as_str(), table))
    }

    /// All queues, by logical id.
    pub fn queues(&self) -> impl Iterator<Item = (&str, &QueueName)> {
        self.queues.iter().map(|(id, queue)| (id.as_str(), queue))
    }

    /// Whether the template has such a resource; kinds as in
    /// [`Faults::names`](crate::faults::Faults::names).
    pub fn knows(&self, kind: &str, logical_id: &str) -> bool {
        match kind {
            "table" => self.tables.contains_key(logical_id),
            "queue" => self.queues.contains_key(logical_id),
            "secret" => self.secrets.contains_key(logical_id),
            _ => self.functions.values().any(|function| function == logical_id),
        }
    }

    /// The logical id of the table that a call names by name or ARN.
    pub(super) fn table_called(&self, called: &str) -> Option<&str> {
        let found = self.tables().find(|(_, table)| table.name == called || table.arn == called);
        found.map(|(id, _)| id)
    }

    /// The logical id of the queue that a call names by URL or name.
    pub(super) fn queue_called(&self, called: &str) -> Option<&str> {
        let name = called.rsplit('/').next().unwrap_or(called);
        self.queues().find(|(_, queue)| queue.name == name).map(|(id, _)| id)
    }

    /// The logical id of the secret that a call names by name or ARN.
    pub(super) fn secret_called(&self, called: &str) -> Option<&str> {
        let found =
            self.secrets.iter().find(|(_, secret)| secret.name == called || secret.arn == called);
        found.map(|(id, _)| id.as_str())
    }

    /// The ARN of a function.
    pub(crate) fn function_arn(&self, logical_id: &str) -> Option<String> {
        self.function_names.get(logical_id).map(|name| function_arn(name))
    }

    /// The function that signs with this access key.
    pub(super) fn function_of(&self, access_key: &str) -> Option<&str> {
        self.functions.get(access_key).map(String::as_str)
    }
}

/// The access key of a function's processes: it identifies the function to the stores.
pub fn access_key(function: &str) -> String {
    let letters = function.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
    format!("ASIA{name}")
}

fn queue_name(queue: &Queue, endpoint: SocketAddr) -> QueueName {
    let name = queue.name.clone();
    QueueName {
        url: format!("http://{endpoint}/{ACCOUNT_ID}/{name}"),
        arn: format!("arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{name}"),
        name,
    }
}
