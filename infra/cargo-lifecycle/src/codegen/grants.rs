//! The environment variables and the permissions of a function, from its description.

use std::collections::{BTreeMap, BTreeSet};

use tooling::descriptions::{Description, Kind, SignIn, Source};

use super::names::logical_id;

/// IAM actions by resource, as the template writes it: `!GetAtt OrdersTable.Arn`.
pub(super) type Grants = BTreeMap<String, BTreeSet<String>>;

const READ_SECRET: &str = "secretsmanager:GetSecretValue";
const WRITE_SECRET: &str = "secretsmanager:PutSecretValue";
const PROMOTE_SECRET: &str = "secretsmanager:UpdateSecretVersionStage";

/// The actions that Lambda performs for a function to receive messages, and the lifecycle after a
/// failure.
const RECEIVE: [&str; 4] = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
];
/// The actions that Lambda performs for a function to read a stream.
const READ_STREAM: [&str; 4] = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
];

/// The variables of a function, with the resource or parameter that each refers to.
pub(super) fn variables(description: &Description) -> BTreeMap<String, String> {
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
    let upstreams = uses.upstreams.iter().map(|u| (upper(u, "URL"), logical_id(u, "Url")));
    let resources = tables.chain(queues).chain(dead).chain(secrets).chain(upstreams);
    resources.chain(settings(description)).collect()
}

/// The variables that are settings.
fn settings(description: &Description) -> impl Iterator<Item = (String, String)> {
    let mail: &[_] = if description.uses.mail {
        &[("MAIL_CONFIGURATION_SET", "MailConfigurationSet"), ("MAIL_FROM", "MailFrom")]
    } else {
        &[]
    };
    let links: &[_] =
        if description.uses.public_url { &[("PUBLIC_URL", "PublicUrl")] } else { &[] };
    // The authorizer verifies all tokens, except for endpoints where signing in is optional.
    let verifies =
        description.kind == Kind::Authorizer || description.sign_in == Some(SignIn::Optional);
    let issuers: &[_] = if verifies {
        &[
            ("ISSUERS", "OutsideIssuers"),
            ("SECOND_AUDIENCE", "SecondAudience"),
            ("SECOND_ISSUER", "SecondIssuer"),
        ]
    } else {
        &[]
    };
    let settings = mail.iter().chain(links).chain(issuers);
    settings.map(|(variable, value)| ((*variable).to_owned(), (*value).to_owned()))
}

/// The permissions of a function, except for mail.
pub(super) fn of(description: &Description) -> Grants {
    let uses = &description.uses;
    let mut grants = Grants::new();
    let mut grant = |resource: String, actions: &[&str]| {
        let known = grants.entry(resource).or_default();
        known.extend(actions.iter().map(|action| (*action).to_owned()));
    };
    for (table, verbs) in &uses.tables {
        for verb in verbs {
            grant(arn(table, "Table"), &[&format!("dynamodb:{verb}")]);
        }
    }
    for (table, indexes) in &uses.indexes {
        let table = logical_id(table, "Table");
        for index in indexes {
            grant(format!("!Sub \"${{{table}.Arn}}/index/{index}\""), &["dynamodb:Query"]);
        }
    }
    for queue in &uses.queues {
        grant(arn(queue, "Queue"), &["sqs:SendMessage"]);
    }
    for queue in &uses.probed_queues {
        grant(arn(queue, "Queue"), &["sqs:GetQueueAttributes"]);
    }
    for queue in &uses.dead_letters_of {
        grant(arn(queue, "DeadLetterQueue"), &["sqs:SendMessage"]);
    }
    for secret in &uses.secrets {
        grant(reference(secret), &[READ_SECRET]);
    }
    for secret in &uses.written_secrets {
        grant(reference(secret), &[READ_SECRET, WRITE_SECRET]);
    }
    for secret in &uses.rotated_secrets {
        grant(reference(secret), &[READ_SECRET, WRITE_SECRET, PROMOTE_SECRET]);
    }
    match &description.source {
        Some(Source::Queue(queue)) => grant(arn(queue, "Queue"), &RECEIVE),
        Some(Source::Stream(table)) => {
            grant(format!("!GetAtt {}.StreamArn", logical_id(table, "Table")), &READ_STREAM);
        }
        Some(Source::Schedule) | None => {}
    }
    grants
}

fn arn(name: &str, kind: &str) -> String {
    format!("!GetAtt {}.Arn", logical_id(name, kind))
}

/// A secret: its ARN is the value of its reference.
fn reference(secret: &str) -> String {
    format!("!Ref {}", logical_id(secret, "Secret"))
}
