//! The environment variables and the permissions of a function, from its description.

use std::collections::{BTreeMap, BTreeSet};

use tooling::descriptions::{Description, Kind, Resources, SignIn, Source};

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
pub(crate) fn variables(description: &Description) -> BTreeMap<String, String> {
    let resources = &description.resources;
    let upper = |name: &str, rest: &str| format!("{}_{rest}", name.to_uppercase());
    let tables = resources.tables.keys().chain(resources.indexes.keys());
    let tables = tables.map(|t| (upper(t, "TABLE"), logical_id(t, "Table")));
    let consumed = description.source.iter().filter_map(|source| match source {
        Source::Queue(queue) => Some(queue),
        Source::Stream(_) | Source::Schedule(_) | Source::Event(_) => None,
    });
    let queues = resources.queues.iter().chain(&resources.probed_queues).chain(consumed);
    let queues = queues.map(|q| (upper(q, "QUEUE_URL"), logical_id(q, "Queue")));
    let dead = resources.dead_letters_of.iter();
    let dead = dead.map(|q| (upper(q, "DEAD_LETTER_QUEUE_URL"), logical_id(q, "DeadLetterQueue")));
    let secrets = resources
        .secrets
        .iter()
        .chain(&resources.written_secrets)
        .chain(&resources.rotated_secrets);
    let secrets = secrets.map(|s| (upper(s, "SECRET_ID"), logical_id(s, "Secret")));
    let upstreams = resources.upstreams.iter().map(|u| (upper(u, "URL"), logical_id(u, "Url")));
    let named = tables.chain(queues).chain(dead).chain(secrets).chain(upstreams);
    let others = resources.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
    named.chain(settings(description)).chain(others).collect()
}

/// The variables that are settings.
fn settings(description: &Description) -> impl Iterator<Item = (String, String)> {
    let mail: &[_] = if description.resources.mail {
        &[("MAIL_CONFIGURATION_SET", "MailConfigurationSet"), ("MAIL_FROM", "MailFrom")]
    } else {
        &[]
    };
    let links: &[_] =
        if description.resources.public_url { &[("PUBLIC_URL", "PublicUrl")] } else { &[] };
    // The authorizer verifies all tokens, except for endpoints where signing in is optional. One with
    // tables and no secret looks its credentials up.
    let Resources { secrets, tables, .. } = &description.resources;
    let verifies = match description.kind {
        Kind::Authorizer => tables.is_empty() || !secrets.is_empty(),
        Kind::Endpoint | Kind::Consumer | Kind::Rotation => {
            description.sign_in == Some(SignIn::Optional)
        }
    };
    let issuers: &[_] = match (verifies, secrets.is_empty()) {
        (false, _) => &[],
        // Without a secret of keys, only the tokens of outside issuers are verified.
        (true, true) => &[("ISSUERS", "OutsideIssuers")],
        (true, false) => &[
            ("ISSUERS", "OutsideIssuers"),
            ("SECOND_AUDIENCE", "SecondAudience"),
            ("SECOND_ISSUER", "SecondIssuer"),
        ],
    };
    let settings = mail.iter().chain(links).chain(issuers);
    settings.map(|(variable, value)| ((*variable).to_owned(), (*value).to_owned()))
}

/// The permissions of a function, except for mail.
pub(super) fn of(description: &Description) -> Grants {
    let resources = &description.resources;
    let mut grants = Grants::new();
    let mut grant = |resource: String, actions: &[&str]| {
        let known = grants.entry(resource).or_default();
        known.extend(actions.iter().map(|action| (*action).to_owned()));
    };
    for (table, verbs) in &resources.tables {
        for verb in verbs {
            grant(arn(table, "Table"), &[&format!("dynamodb:{verb}")]);
        }
    }
    for (table, indexes) in &resources.indexes {
        let table = logical_id(table, "Table");
        for index in indexes {
            grant(format!("!Sub \"${{{table}.Arn}}/index/{index}\""), &["dynamodb:Query"]);
        }
    }
    for queue in &resources.queues {
        grant(arn(queue, "Queue"), &["sqs:SendMessage"]);
    }
    for queue in &resources.probed_queues {
        grant(arn(queue, "Queue"), &["sqs:GetQueueAttributes"]);
    }
    for queue in &resources.dead_letters_of {
        grant(arn(queue, "DeadLetterQueue"), &["sqs:SendMessage"]);
    }
    for secret in &resources.secrets {
        grant(reference(secret), &[READ_SECRET]);
    }
    for secret in &resources.written_secrets {
        grant(reference(secret), &[READ_SECRET, WRITE_SECRET]);
    }
    for secret in &resources.rotated_secrets {
        grant(reference(secret), &[READ_SECRET, WRITE_SECRET, PROMOTE_SECRET]);
    }
    for other in &resources.others {
        let actions: Vec<_> = other.actions.iter().map(String::as_str).collect();
        grant(substituted(&other.resource), &actions);
    }
    match &description.source {
        Some(Source::Queue(queue)) => grant(arn(queue, "Queue"), &RECEIVE),
        Some(Source::Stream(table)) => {
            grant(format!("!GetAtt {}.StreamArn", logical_id(table, "Table")), &READ_STREAM);
        }
        Some(Source::Schedule(_) | Source::Event(_)) | None => {}
    }
    grants
}

fn arn(name: &str, kind: &str) -> String {
    format!("!GetAtt {}.Arn", logical_id(name, kind))
}

/// A resource of another service, with the ARNs of the template's resources filled in.
fn substituted(resource: &str) -> String {
    let function = if resource.contains("${") { "!Sub " } else { "" };
    format!("{function}\"{resource}\"")
}

/// A secret: its ARN is the value of its reference.
fn reference(secret: &str) -> String {
    format!("!Ref {}", logical_id(secret, "Secret"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_an_authorizer_of_tokens_has_the_outside_issuers() {
        for (tables, secrets, expected) in [
            (json!({}), json!([]), true),
            (json!({}), json!(["verification_keys"]), true),
            (json!({ "sessions": ["GetItem"] }), json!(["verification_keys"]), true),
            (json!({ "api_keys": ["GetItem"] }), json!([]), false),
        ] {
            let mut description = crate::codegen::tests::description("authorizer", None);
            description.resources.tables = serde_json::from_value(tables.clone()).unwrap();
            description.resources.secrets = serde_json::from_value(secrets).unwrap();
            assert_eq!(variables(&description).contains_key("ISSUERS"), expected, "{tables}");
        }
    }

    #[test]
    fn resources_of_other_services_are_granted_and_their_variables_set() {
        let none: [&str; 0] = [];
        let bucket = json!({
            "actions": ["s3:PutObject", "s3:GetObject"], "resource": "${UploadsBucket.Arn}/*",
        });
        let key = json!({ "actions": ["kms:GenerateRandom"], "resource": "*" });
        let description = json!({ "kind": "consumer", "source": { "event": "uploads" }, "resources": {
            "tables": {}, "indexes": {}, "queues": none, "probedQueues": none,
            "deadLettersOf": none, "secrets": none, "writtenSecrets": none,
            "rotatedSecrets": none, "mail": false, "upstreams": none, "publicUrl": false,
            "others": [bucket, key], "variables": { "UPLOADS_BUCKET": "UploadsBucket" },
        } });
        let description: Description = serde_json::from_value(description).unwrap();
        let granted: Vec<_> = of(&description)
            .into_iter()
            .map(|(resource, actions)| (resource, actions.into_iter().collect::<Vec<_>>()))
            .collect();
        let actions =
            |actions: &[&str]| actions.iter().map(ToString::to_string).collect::<Vec<String>>();
        assert_eq!(
            granted,
            [
                (
                    "!Sub \"${UploadsBucket.Arn}/*\"".to_owned(),
                    actions(&["s3:GetObject", "s3:PutObject"])
                ),
                ("\"*\"".to_owned(), actions(&["kms:GenerateRandom"])),
            ]
        );
        let variables = variables(&description).into_iter().collect::<Vec<_>>();
        assert_eq!(variables, [("UPLOADS_BUCKET".to_owned(), "UploadsBucket".to_owned())]);
    }
}
