//! The environment variables and the policy of a function.

use std::collections::{BTreeMap, BTreeSet};

use sam_template::{ACCOUNT_ID, Effect, Function, REGION};
use tooling::descriptions::{Description, Source};

use super::logical_id;

/// The resource of a permission: a logical id, an index such as `OrdersTable/index/by_creation`, or
/// an ARN.
type Resource = String;
/// IAM actions by resource.
type Grants = BTreeMap<Resource, BTreeSet<String>>;

/// The variable with the configuration set of mail.
const CONFIGURATION_SET: &str = "MAIL_CONFIGURATION_SET";

pub(super) fn complaints(function: &Function, description: &Description) -> Vec<String> {
    let mut complaints = environment(function, &variables_of(description));
    complaints.extend(addresses(function, description));
    complaints.extend(policy(&granted(function), &needed_by(description)));
    complaints
}

/// The variables that name resources, and the resource of each.
fn variables_of(description: &Description) -> BTreeMap<String, Resource> {
    let uses = &description.uses;
    let upper = |name: &str, rest: &str| format!("{}_{rest}", name.to_uppercase());
    let tables = uses.tables.keys().chain(uses.indexes.keys());
    let tables = tables.map(|t| (upper(t, "TABLE"), logical_id(t, "Table")));
    let consumed = description.source.iter().filter_map(|source| match source {
        Source::Queue(queue) => Some(queue),
        Source::Stream(_) | Source::Schedule => None,
    });
    let queues = uses.queues.iter().chain(&uses.probed_queues).chain(consumed);
    let queues = queues.map(|q| (upper(q, "QUEUE_URL"), logical_id(q, "Queue")));
    let dead = uses.dead_letters_of.iter();
    let dead = dead.map(|q| (upper(q, "DEAD_LETTER_QUEUE_URL"), logical_id(q, "DeadLetterQueue")));
    let secrets = uses.secrets.iter().chain(&uses.written_secrets).chain(&uses.rotated_secrets);
    let secrets = secrets.map(|s| (upper(s, "SECRET_ID"), logical_id(s, "Secret")));
    let mail = uses.mail.then(|| (CONFIGURATION_SET.to_owned(), "MailConfigurationSet".to_owned()));
    tables.chain(queues).chain(dead).chain(secrets).chain(mail).collect()
}

fn environment(function: &Function, wanted: &BTreeMap<String, Resource>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (variable, resource) in wanted {
        match function.environment.get(variable).map(|text| text.logical_id()) {
            None => complaints.push(format!("environment: {variable} is missing")),
            Some(Some(found)) if found == resource => {}
            Some(found) => complaints.push(format!(
                "environment: {variable} is {}, not {resource}",
                found.unwrap_or("a literal")
            )),
        }
    }
    let named = ["_TABLE", "_QUEUE_URL", "_SECRET_ID", CONFIGURATION_SET];
    for variable in function.environment.keys() {
        let names_resource = named.iter().any(|ending| variable.ends_with(ending));
        if names_resource && !wanted.contains_key(variable) {
            complaints.push(format!("environment: {variable} is not used"));
        }
    }
    complaints
}

/// Checks the variables with URLs of the API and of third-party services. Their values are
/// parameters, not resources.
fn addresses(function: &Function, description: &Description) -> Vec<String> {
    let uses = &description.uses;
    let upstreams = uses.upstreams.iter().map(|u| format!("{}_URL", u.to_uppercase()));
    let wanted = upstreams.chain(uses.public_url.then(|| "PUBLIC_URL".to_owned()));
    let wanted: BTreeSet<_> = wanted.collect();
    let is_address = |name: &&String| name.ends_with("_URL") && !name.ends_with("_QUEUE_URL");
    let told: BTreeSet<_> = function.environment.keys().filter(is_address).cloned().collect();
    let missing = wanted.difference(&told).map(|v| format!("environment: {v} is missing"));
    let spare = told.difference(&wanted).map(|v| format!("environment: {v} is not used"));
    missing.chain(spare).collect()
}

/// The permissions that the function needs.
fn needed_by(description: &Description) -> Grants {
    let uses = &description.uses;
    let mut grants = Grants::new();
    let mut grant = |resource: Resource, actions: &[&str]| {
        let known = grants.entry(resource).or_default();
        known.extend(actions.iter().map(|action| (*action).to_owned()));
    };
    for (table, verbs) in &uses.tables {
        for verb in verbs {
            grant(logical_id(table, "Table"), &[&format!("dynamodb:{verb}")]);
        }
    }
    for (table, indexes) in &uses.indexes {
        for index in indexes {
            grant(format!("{}/index/{index}", logical_id(table, "Table")), &["dynamodb:Query"]);
        }
    }
    for queue in &uses.queues {
        grant(logical_id(queue, "Queue"), &["sqs:SendMessage"]);
    }
    for queue in &uses.probed_queues {
        grant(logical_id(queue, "Queue"), &["sqs:GetQueueAttributes"]);
    }
    for queue in &uses.dead_letters_of {
        grant(logical_id(queue, "DeadLetterQueue"), &["sqs:SendMessage"]);
    }
    let (read, write) = ("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue");
    for secret in &uses.secrets {
        grant(logical_id(secret, "Secret"), &[read]);
    }
    for secret in &uses.written_secrets {
        grant(logical_id(secret, "Secret"), &[read, write]);
    }
    for secret in &uses.rotated_secrets {
        let promote = "secretsmanager:UpdateSecretVersionStage";
        grant(logical_id(secret, "Secret"), &[read, write, promote]);
    }
    if uses.mail {
        for resource in ["identity/*", "configuration-set/*"] {
            let arn = format!("arn:aws:ses:{REGION}:{ACCOUNT_ID}:{resource}");
            grant(arn, &["ses:SendEmail"]);
        }
    }
    // The actions that Lambda performs for the function to fetch its records, and those of the
    // lifecycle after a failure.
    match &description.source {
        Some(Source::Queue(queue)) => grant(
            logical_id(queue, "Queue"),
            &[
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ChangeMessageVisibility",
            ],
        ),
        Some(Source::Stream(table)) => grant(
            logical_id(table, "Table"),
            &[
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ],
        ),
        Some(Source::Schedule) | None => {}
    }
    grants
}

/// The permissions that the template grants to the function.
fn granted(function: &Function) -> Grants {
    let mut grants = Grants::new();
    for statement in function.policies.iter().filter(|s| s.effect == Effect::Allow) {
        let known = grants.entry(statement.resource.words()).or_default();
        known.insert(statement.action.clone());
    }
    grants
}

fn policy(granted: &Grants, needed: &Grants) -> Vec<String> {
    let none = BTreeSet::new();
    let resources: BTreeSet<&Resource> = granted.keys().chain(needed.keys()).collect();
    let mut complaints = Vec::new();
    for resource in resources {
        let granted = granted.get(resource).unwrap_or(&none);
        let needed = needed.get(resource).unwrap_or(&none);
        let missing =
            needed.difference(granted).map(|a| format!("policy: {a} on {resource} is missing"));
        let spare =
            granted.difference(needed).map(|a| format!("policy: {a} on {resource} is not used"));
        complaints.extend(missing.chain(spare));
    }
    complaints
}
