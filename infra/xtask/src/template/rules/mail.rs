//! Mail: that SES lets it leave, in our name alone, and that what it reports of it is heard.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Resource, Stack, words};

/// What SES checks the right to send on: an identity that it has verified, which may be the sender's
/// address or its domain, and which in the sandbox is the recipient's too; and the configuration set.
const CHECKED: [&str; 2] = ["identity/*", "configuration-set/*"];
/// The parameter that names the sender of all mail.
const SENDER: &str = "${MailFrom}";
/// The variable that names a function's configuration set.
const SET_VARIABLE: &str = "/Environment/Variables/MAIL_CONFIGURATION_SET";
/// What has to be told of mails, in the words of SES and of `EventBridge`.
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

/// What is wrong with the rights of a role that sends mail.
fn rights(role: &str, statements: &[&Value]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut allowed = BTreeSet::new();
    for statement in statements {
        for resource in words::each(&statement["Resource"]).map(words::spelled) {
            let checked = resource.rsplit(':').next().unwrap_or_default().to_owned();
            if !CHECKED.contains(&checked.as_str()) {
                complaints.push(format!(
                    "{role}: may send mail by {checked}: SES may have verified another identity; \
                     name identity/* and bound the sender by a condition"
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

/// What is wrong with the way of reports from a configuration set to a queue.
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
            None => complaints.push(format!("{}: no rule passes {detail_type} on", set.id)),
        }
    }
    complaints.dedup();
    complaints
}

/// Queues that do not let a rule send: its events would be lost without a word.
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

/// Whether a statement lets a rule send to a queue.
fn lets(statement: &Value, rule: &str, queue: &str) -> bool {
    let source = &statement["Condition"]["ArnEquals"]["aws:SourceArn"];
    let mut queues = words::each(&statement["Resource"]);
    statement["Effect"] == "Allow"
        && statement["Principal"]["Service"] == "events.amazonaws.com"
        && words::each(&statement["Action"]).any(|action| action == "sqs:SendMessage")
        && queues.any(|named| words::referred(named) == Some(queue))
        && words::referred(source) == Some(rule)
}
