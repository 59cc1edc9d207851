//! Mail: SES permissions, the restriction to our sender, and the events of mails.

use std::collections::BTreeSet;

use serde_json::Value;

use super::stack::{Resource, Stack};
use super::words;

/// The resources on which SES checks the permission to send: a verified identity and the
/// configuration set. The identity may be the sender's address or its domain; in the sandbox it may
/// be the recipient's.
const CHECKED: [&str; 2] = ["identity/*", "configuration-set/*"];
/// The parameter with the sender of all mail.
const SENDER: &str = "${MailFrom}";
/// The variable with a function's configuration set.
const SET_VARIABLE: &str = "/Environment/Variables/MAIL_CONFIGURATION_SET";
/// The required events of mails, by their names in SES and in `EventBridge`.
const TOLD: [(&str, &str); 2] =
    [("bounce", "Email Bounced"), ("complaint", "Email Complaint Received")];

/// Whether a statement of a policy is about SES.
pub(super) fn is_about_mail(statement: &Value) -> bool {
    words::each(&statement["Action"]).any(|action| words::spelled(action).starts_with("ses:"))
}

pub(super) fn complaints(main: Stack<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    for role in main.resources("AWS::IAM::Role") {
        let statements = words::each(role.property("/Policies"))
            .flat_map(|policy| words::each(&policy["PolicyDocument"]["Statement"]))
            .filter(|statement| is_about_mail(statement));
        let statements: Vec<&Value> = statements.collect();
        if !statements.is_empty() {
            complaints.extend(rights(role.id, &statements));
        }
    }
    for function in main.resources("AWS::Lambda::Function") {
        let sends = !function.property("/Environment/Variables/MAIL_FROM").is_null();
        let set = main.named("AWS::SES::ConfigurationSet", function.property(SET_VARIABLE));
        if sends && set.is_none() {
            complaints.push(format!("{}: sends mail without a configuration set", function.id));
        }
    }
    for set in main.resources("AWS::SES::ConfigurationSet") {
        complaints.extend(reports(main, set));
    }
    complaints
}

/// The problems with the mail permissions of a role.
fn rights(role: &str, statements: &[&Value]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut allowed = BTreeSet::new();
    for statement in statements {
        for resource in words::each(&statement["Resource"]).map(words::spelled) {
            let checked = resource.rsplit(':').next().unwrap_or_default().to_owned();
            if !CHECKED.contains(&checked.as_str()) {
                complaints.push(format!(
                    "{role}: may send mail by {checked}: SES may check another identity; \
                     name identity/* and restrict the sender by a condition"
                ));
            }
            allowed.insert(checked);
        }
        let sender = &statement["Condition"]["StringEquals"]["ses:FromAddress"];
        if words::spelled(sender) != SENDER {
            complaints.push(format!("{role}: may send mail from any address of an identity"));
        }
    }
    let missing = CHECKED.iter().filter(|checked| !allowed.contains(**checked));
    complaints.extend(missing.map(|it| format!("{role}: may not send mail by {it}")));
    complaints
}

/// The problems with the delivery of mail events from a configuration set to a queue.
fn reports(main: Stack<'_>, set: Resource<'_>) -> Vec<String> {
    let mut complaints = Vec::new();
    let destinations = main.resources("AWS::SES::ConfigurationSetEventDestination").filter(|it| {
        words::referred(it.property("/ConfigurationSetName")) == Some(set.id)
            && it.is("/EventDestination/Enabled", true)
    });
    let published: BTreeSet<&str> = destinations
        .flat_map(|it| words::each(it.property("/EventDestination/MatchingEventTypes")))
        .filter_map(Value::as_str)
        .collect();
    for (event, detail_type) in TOLD {
        if !published.contains(event) {
            complaints.push(format!("{}: does not publish {event}", set.id));
        }
        let mut rules = main.resources("AWS::Events::Rule").filter(|rule| {
            let pattern = rule.property("/EventPattern");
            let sets = &pattern["detail"]["mail"]["tags"]["ses:configuration-set"];
            words::each(&pattern["detail-type"]).any(|it| it == detail_type)
                && words::each(sets).any(|it| words::referred(it) == Some(set.id))
        });
        match rules.next() {
            Some(rule) => complaints.extend(targets(main, rule)),
            None => complaints.push(format!("{}: no rule forwards {detail_type}", set.id)),
        }
    }
    complaints.dedup();
    complaints
}

/// Queues that do not allow a rule to send: its events would be lost silently.
fn targets(main: Stack<'_>, rule: Resource<'_>) -> Vec<String> {
    let targets = words::each(rule.property("/Targets"));
    let queues = targets.flat_map(|target| [&target["Arn"], &target["DeadLetterConfig"]["Arn"]]);
    let queues: BTreeSet<&str> = queues.filter_map(words::referred).collect();
    let lets = |queue: &str| {
        main.resources("AWS::SQS::QueuePolicy").any(|policy| {
            let is_its = words::each(policy.property("/Queues"))
                .any(|named| words::referred(named) == Some(queue));
            let mut statements = words::each(policy.property("/PolicyDocument/Statement"));
            is_its && statements.any(|statement| lets(statement, rule.id, queue))
        })
    };
    let closed = queues.into_iter().filter(|queue| !lets(queue));
    closed.map(|queue| format!("{queue}: does not let {} send to it", rule.id)).collect()
}

/// Whether a statement allows a rule to send to a queue.
fn lets(statement: &Value, rule: &str, queue: &str) -> bool {
    let source = &statement["Condition"]["ArnEquals"]["aws:SourceArn"];
    let mut queues = words::each(&statement["Resource"]);
    statement["Effect"] == "Allow"
        && statement["Principal"]["Service"] == "events.amazonaws.com"
        && words::each(&statement["Action"]).any(|action| action == "sqs:SendMessage")
        && queues.any(|named| words::referred(named) == Some(queue))
        && words::referred(source) == Some(rule)
}
