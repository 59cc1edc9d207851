//! The names of a template's resources in the simulated account.
//!
//! A resource has its logical id as its name; a FIFO queue has `.fifo` at its end.

use std::collections::{BTreeMap, BTreeSet};

use sam_template::{Reference, Template};

use crate::services::{ACCOUNT_ID, REGION};

/// The names, by logical id.
#[derive(Debug, Default)]
pub(super) struct Names {
    tables: BTreeSet<String>,
    queues: BTreeMap<String, String>,
    secrets: BTreeSet<String>,
    configuration_sets: BTreeSet<String>,
    dead_letter_queues: BTreeSet<String>,
    functions: BTreeSet<String>,
    /// The ARNs of streams, by table.
    pub(super) streams: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn of(template: &Template) -> Self {
        let queue = |queue: &sam_template::Queue| {
            let end = if queue.fifo { ".fifo" } else { "" };
            (queue.logical_id.clone(), format!("{}{end}", queue.logical_id))
        };
        let redrives = template.queues.values().filter_map(|queue| queue.redrive.as_ref());
        let failures = template.event_sources.iter().filter_map(|source| match &source.trigger {
            sam_template::Trigger::Stream(trigger) => trigger.on_failure_queue.clone(),
            _ => None,
        });
        let dead_letters = redrives.map(|redrive| redrive.dead_letter_queue.clone());
        Self {
            tables: template.tables.keys().cloned().collect(),
            queues: template.queues.values().map(queue).collect(),
            secrets: template.secrets.keys().cloned().collect(),
            configuration_sets: template.configuration_sets.keys().cloned().collect(),
            dead_letter_queues: dead_letters.chain(failures).collect(),
            functions: template.functions.keys().cloned().collect(),
            streams: BTreeMap::new(),
        }
    }

    /// The name of a queue; other resources have their logical id as their name.
    pub(super) fn queue<'a>(&'a self, logical_id: &'a str) -> &'a str {
        self.queues.get(logical_id).map_or(logical_id, String::as_str)
    }

    /// Refuses a logical id that is no queue of the template.
    pub(super) fn assert_queue(&self, logical_id: &str) {
        assert!(self.queues.contains_key(logical_id), "the template has no queue {logical_id}");
    }

    /// Refuses a logical id that is no table of the template.
    pub(super) fn assert_table(&self, logical_id: &str) {
        assert!(self.tables.contains(logical_id), "the template has no table {logical_id}");
    }

    /// The tables and queues that the body of a request names.
    pub(super) fn named_in<'a>(&'a self, body: &'a str) -> impl Iterator<Item = &'a str> {
        let resources = self.tables.iter().chain(self.queues.values());
        resources.map(String::as_str).filter(move |name| super::outages::names(body, name))
    }

    /// The logical ids of the dead-letter queues.
    pub(super) fn dead_letter_queues(&self) -> impl Iterator<Item = &str> {
        self.dead_letter_queues.iter().map(String::as_str)
    }

    /// The value of a reference, as the functions get it.
    pub(super) fn look_up(&self, reference: &Reference) -> Option<String> {
        let id = reference.resource.as_str();
        let attribute = reference.attribute.as_deref();
        if self.tables.contains(id) {
            return match attribute {
                None => Some(id.to_owned()),
                Some("Arn") => Some(arn("dynamodb", &format!("table/{id}"))),
                Some("StreamArn") => self.streams.get(id).cloned(),
                Some(_) => None,
            };
        }
        if let Some(name) = self.queues.get(id) {
            return match attribute {
                None | Some("QueueUrl") => Some(queue_url(name)),
                Some("Arn") => Some(arn("sqs", name)),
                Some("QueueName") => Some(name.clone()),
                Some(_) => None,
            };
        }
        if self.secrets.contains(id) {
            return matches!(attribute, None | Some("Id")).then(|| secret_arn(id));
        }
        if self.functions.contains(id) && attribute == Some("Arn") {
            return Some(arn("lambda", &format!("function:{id}")));
        }
        let has_name = self.configuration_sets.contains(id) || self.functions.contains(id);
        (has_name && attribute.is_none()).then(|| id.to_owned())
    }

    /// The resource of a permission: the last part of the ARN.
    pub(super) fn look_up_permission(&self, reference: &Reference) -> Option<String> {
        let id = reference.resource.as_str();
        if self.secrets.contains(id) {
            return Some(format!("secret:{id}"));
        }
        Some(last_part(&self.look_up(reference)?).to_owned())
    }
}

/// The URL of a queue.
pub(super) fn queue_url(name: &str) -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{name}")
}

/// The ARN of a secret.
pub(super) fn secret_arn(name: &str) -> String {
    arn("secretsmanager", &format!("secret:{name}-AbCdEf"))
}

/// An ARN in the simulated account.
pub(super) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{resource}")
}

/// The resource of an ARN, without service, region and account.
pub(super) fn last_part(arn: &str) -> &str {
    if arn.starts_with("arn:") { arn.splitn(6, ':').nth(5).unwrap_or(arn) } else { arn }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_the_values_that_services_know() {
        let source = "Resources:
  T: {Type: 'AWS::DynamoDB::Table', Properties: {BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{AttributeName: pk, AttributeType: S}], KeySchema: [{AttributeName: pk, KeyType: HASH}]}}
  Q: {Type: 'AWS::SQS::Queue', Properties: {FifoQueue: true}}
  S: {Type: 'AWS::SecretsManager::Secret', Properties: {SecretString: x}}
";
        let names = Names::of(&Template::parse(source, &BTreeMap::new()).unwrap());
        let reference = |resource: &str, attribute: Option<&str>| {
            let attribute = attribute.map(str::to_owned);
            Reference { resource: resource.to_owned(), attribute }
        };

        let url = names.look_up(&reference("Q", None)).unwrap();
        assert!(url.ends_with("/Q.fifo"), "{url}");
        assert_eq!(names.look_up(&reference("T", None)).as_deref(), Some("T"));
        let permission = |id, attribute| names.look_up_permission(&reference(id, attribute));
        assert_eq!(permission("T", Some("Arn")).as_deref(), Some("table/T"));
        assert_eq!(permission("Q", Some("Arn")).as_deref(), Some("Q.fifo"));
        assert_eq!(permission("S", None).as_deref(), Some("secret:S"));
    }

    #[test]
    fn the_services_know_a_secret_by_its_arn() {
        let mut services = crate::services::Services::default();
        let mut random = crate::random::Seeded::new(1);
        services.add_secret("S", "text", &mut random);
        services.grant("f", crate::services::Permissions::everything());
        let body = serde_json::json!({ "SecretId": secret_arn("S") }).to_string();
        let request = crate::services::WireRequest {
            caller: "f",
            target: Some("secretsmanager.GetSecretValue"),
            path: "/",
            body: body.as_bytes(),
        };

        let called = services.call(crate::Millis(0), &mut random, request);

        let crate::services::Called::AtOnce(response) = called else { panic!("it waits") };
        assert_eq!(response.json()["SecretString"], "text");
    }
}
