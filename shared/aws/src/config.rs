//! The configuration of a function, read once from its environment: names, addresses and
//! credentials.

use std::collections::HashMap;
use std::fmt;

use aws_credential_types::Credentials;
use lifecycle::Upstream;
use lifecycle::effects::QueueName;
use lifecycle::idempotency::IDEMPOTENCY_KEYS;
use lifecycle::record::TableName;
use lifecycle::resource::{Action, OUTBOX, Resource};

/// The usual name of the secret that holds the keys that sign tokens. [`Aws::signing_keys_in`] and
/// [`Aws::key_rotation_of`] take another.
///
/// [`Aws::signing_keys_in`]: crate::Aws::signing_keys_in
/// [`Aws::key_rotation_of`]: crate::Aws::key_rotation_of
pub const SIGNING_KEYS: &str = "signing_keys";
/// The usual name of the secret that holds the keys that verify tokens, as a JSON Web Key Set.
/// [`Aws::verification_keys_in`](crate::Aws::verification_keys_in) takes another.
pub const VERIFICATION_KEYS: &str = "verification_keys";

/// The usual name of the secret that holds the key that authenticates list cursors: a text of at
/// least 32 characters. [`Aws::pages_sealed_by`](crate::Aws::pages_sealed_by) takes another.
pub const CURSOR_KEY: &str = "cursor_key";

/// Looks a variable up.
pub(crate) type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The values of the environment for the declared resources.
pub(crate) struct Configuration {
    pub(crate) region: String,
    pub(crate) credentials: Credentials,
    pub(crate) ca_bundle: Option<String>,
    pub(crate) mail_from: Option<String>,
    /// The SES configuration set for mail.
    #[cfg_attr(not(feature = "mail"), expect(dead_code, reason = "only mail needs it"))]
    pub(crate) mail_configuration_set: Option<String>,
    pub(crate) public_url: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    /// The tables that a request reads, each by its own call. The idempotency table is not among
    /// them: it is read only after a request has failed.
    pub(crate) tables_read: Vec<TableName>,
    /// Whether several tables are read by one call.
    pub(crate) reads_together: bool,
    /// Whether an index is read. All its partitions are then read at the same time.
    pub(crate) reads_index: bool,
    tables: HashMap<TableName, String>,
    queues: HashMap<QueueName, String>,
    dead_letters: HashMap<QueueName, String>,
    secrets: HashMap<&'static str, String>,
    upstreams: HashMap<Upstream, String>,
    variables: HashMap<&'static str, String>,
    lookup: Lookup,
}

/// The environment variables that are missing, all at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct ConfigError {
    /// The variables that are missing or empty, in alphabetical order.
    pub missing: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the environment lacks {}", self.missing.join(", "))
    }
}

impl Configuration {
    /// Reads the variables that the resources need.
    pub(crate) fn read(uses: &[Resource], lookup: Lookup) -> Result<Self, ConfigError> {
        let mut reader = Reader { lookup: &lookup, missing: Vec::new() };
        let region = reader.region();
        let credentials = reader.credentials();
        let (mut tables, mut queues) = (HashMap::new(), HashMap::new());
        let (mut dead_letters, mut secrets) = (HashMap::new(), HashMap::new());
        let (mut upstreams, mut variables) = (HashMap::new(), HashMap::new());
        let (mut mail_from, mut mail_configuration_set) = (None, None);
        let mut public_url = None;
        let (mut issuer, mut audience) = (None, None);
        for used in uses {
            match *used {
                Resource::Table(table, _) | Resource::Index(table, _) => {
                    tables.insert(table, reader.required(&table.variable()));
                }
                Resource::Outbox => {
                    tables.insert(OUTBOX, reader.required(&OUTBOX.variable()));
                }
                Resource::Queue(queue)
                | Resource::ReadAttributes(queue)
                | Resource::ReceiveFrom(queue) => {
                    queues.insert(queue, reader.required(&queue.variable()));
                }
                Resource::Queues(several) => {
                    queues.extend(
                        several.iter().map(|queue| (*queue, reader.required(&queue.variable()))),
                    );
                }
                Resource::DeadLetterQueue(queue) => {
                    dead_letters.insert(queue, reader.required(&queue.dead_letter_variable()));
                }
                Resource::Secret(name) => {
                    secrets.insert(name, reader.required(&secret_variable(name)));
                    if matches!(name, SIGNING_KEYS | VERIFICATION_KEYS) {
                        issuer = Some(reader.required("ISSUER"));
                        audience = Some(reader.required("AUDIENCE"));
                    }
                }
                Resource::WrittenSecret(name) | Resource::RotatedSecret(name) => {
                    secrets.insert(name, reader.required(&secret_variable(name)));
                }
                Resource::Mail => {
                    mail_from = Some(reader.required("MAIL_FROM"));
                    mail_configuration_set = Some(reader.required("MAIL_CONFIGURATION_SET"));
                }
                Resource::Upstream(upstream) => {
                    upstreams.insert(upstream, reader.required(&upstream.variable()));
                }
                Resource::PublicUrl => public_url = Some(reader.required("PUBLIC_URL")),
                // Only the policy needs it.
                Resource::Other { .. } => {}
                Resource::Variable { name, .. } => {
                    variables.insert(name, reader.required(name));
                }
            }
        }
        // The keys may be in secrets with other names.
        issuer = issuer.or_else(|| reader.optional("ISSUER"));
        audience = audience.or_else(|| reader.optional("AUDIENCE"));
        let ca_bundle = reader.optional("AWS_CA_BUNDLE");
        reader.finish()?;
        Ok(Self {
            region,
            credentials,
            ca_bundle,
            mail_from,
            mail_configuration_set,
            public_url,
            issuer,
            audience,
            tables_read: read_by(uses, &[Action::GetItem, Action::Query]).collect(),
            reads_together: read_by(uses, &[Action::BatchGetItem]).next().is_some(),
            reads_index: uses.iter().any(|used| matches!(used, Resource::Index(..))),
            tables,
            queues,
            dead_letters,
            secrets,
            upstreams,
            variables,
            lookup,
        })
    }

    /// The physical name of a table in use.
    pub(crate) fn table(&self, table: TableName) -> Option<&str> {
        self.tables.get(&table).map(String::as_str)
    }

    /// The URL of a queue in use.
    pub(crate) fn queue(&self, queue: QueueName) -> Option<&str> {
        self.queues.get(&queue).map(String::as_str)
    }

    /// The URL of the dead-letter queue of a queue that is consumed.
    pub(crate) fn dead_letters(&self, queue: QueueName) -> Option<&str> {
        self.dead_letters.get(&queue).map(String::as_str)
    }

    /// The id of a secret in use.
    pub(crate) fn secret(&self, name: &str) -> Option<&str> {
        self.secrets.get(name).map(String::as_str)
    }

    /// The address of an upstream in use.
    pub(crate) fn upstream(&self, upstream: Upstream) -> Option<&str> {
        self.upstreams.get(&upstream).map(String::as_str)
    }

    /// The value of a declared variable.
    pub(crate) fn declared_variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Whether the resources include any table, any queue, and mail.
    pub(crate) fn uses(&self) -> [bool; 3] {
        let queues = !self.queues.is_empty() || !self.dead_letters.is_empty();
        [!self.tables.is_empty(), queues, self.mail_from.is_some()]
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }
}

/// The tables on which one of the verbs is used, without the idempotency table.
fn read_by(uses: &[Resource], verbs: &[Action]) -> impl Iterator<Item = TableName> {
    uses.iter().filter_map(move |used| match used {
        Resource::Table(table, used) if *table != IDEMPOTENCY_KEYS => {
            verbs.iter().any(|verb| used.contains(verb)).then_some(*table)
        }
        _ => None,
    })
}

pub(crate) fn secret_variable(name: &str) -> String {
    format!("{}_SECRET_ID", name.to_uppercase())
}

struct Reader<'a> {
    lookup: &'a Lookup,
    missing: Vec<String>,
}

impl Reader<'_> {
    fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// The variable's value. If it is missing, an empty text: [`Reader::finish`] then fails.
    fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.missing.push(name.to_owned());
            String::new()
        })
    }

    fn region(&mut self) -> String {
        self.optional("AWS_DEFAULT_REGION").unwrap_or_else(|| self.required("AWS_REGION"))
    }

    /// Lambda provides the role's credentials in these three variables.
    fn credentials(&mut self) -> Credentials {
        let key_id = self.required("AWS_ACCESS_KEY_ID");
        let secret = self.required("AWS_SECRET_ACCESS_KEY");
        let session = self.optional("AWS_SESSION_TOKEN");
        Credentials::new(key_id, secret, session, None, "environment")
    }

    fn finish(mut self) -> Result<(), ConfigError> {
        self.missing.sort();
        self.missing.dedup();
        if self.missing.is_empty() { Ok(()) } else { Err(ConfigError { missing: self.missing }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_error_names_all_missing_variables() {
        let uses = [
            Resource::Table(TableName::new("users"), &[]),
            Resource::Queue(QueueName::new("emails")),
            Resource::Secret(SIGNING_KEYS),
            Resource::Mail,
            Resource::Upstream(Upstream::new("partner")),
            Resource::PublicUrl,
            Resource::Other { actions: &["s3:GetObject"], resource: "*" },
            Resource::Variable { name: "UPLOADS_BUCKET", refers_to: "UploadsBucket" },
        ];
        let given = |name: &str| (name == "USERS_TABLE").then(|| "stack-Users".to_owned());
        let error =
            Configuration::read(&uses, Box::new(given)).err().expect("variables are missing");
        assert_eq!(
            error.to_string(),
            "the environment lacks AUDIENCE, AWS_ACCESS_KEY_ID, AWS_REGION, \
             AWS_SECRET_ACCESS_KEY, EMAILS_QUEUE_URL, ISSUER, MAIL_CONFIGURATION_SET, \
             MAIL_FROM, PARTNER_URL, PUBLIC_URL, SIGNING_KEYS_SECRET_ID, UPLOADS_BUCKET"
        );
    }

    #[test]
    fn an_empty_variable_counts_as_missing() {
        let given = |name: &str| Some(if name == "USERS_TABLE" { "" } else { "x" }.to_owned());
        let uses = [Resource::Table(TableName::new("users"), &[])];
        let error =
            Configuration::read(&uses, Box::new(given)).err().expect("the variable is empty");
        assert_eq!(error.missing, ["USERS_TABLE"]);
    }
}
