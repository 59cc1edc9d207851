//! The generated parts of the template's resources.

use std::collections::BTreeSet;

use tooling::descriptions::{Description, SignIn, Source};

use super::conventions::Conventions;
use super::declared::Declared;
use super::grants;
use super::names::logical_id;

/// The ending of names that `CloudFormation` would otherwise find taken after a rollback.
const CREATION: &str =
    r#"{Creation: !Select [0, !Split ["-", !Select [2, !Split ["/", !Ref AWS::StackId]]]]}"#;

/// The permission to send mail.
const MAIL: &str = r#"            # SES requires the permission on the verified identity, which may be a domain, on the
            # configuration set, and in the sandbox on the recipient's identity. The condition on the sender
            # limits all of them.
            - Effect: Allow
              Action: [ses:SendEmail]
              Resource:
                - !Sub "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*"
                - !Sub "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/*"
              Condition: {StringEquals: {"ses:FromAddress": !Ref MailFrom}}
"#;

/// A function, which is deployed after the one that it waits for. A schedule runs it by the event of
/// this name.
pub(super) fn function(
    declared: &Declared<'_>,
    awaited: Option<&str>,
    event: &str,
    conventions: &Conventions,
) -> String {
    let (name, description) = (declared.name(), declared.description);
    let awaited = awaited.map(|function| conventions.awaited(function));
    let awaited = awaited.map(|resource| format!("    DependsOn: {resource}\n"));
    [
        "    Type: AWS::Serverless::Function\n".to_owned(),
        awaited.unwrap_or_default(),
        format!(
            "    Metadata: {{BuildMethod: rust-cargolambda, BuildProperties: {{Binary: {name}}}}}\n"
        ),
        "    Properties:\n".to_owned(),
        format!("      FunctionName: !Sub \"${{AWS::StackName}}-{name}\"\n"),
        environment(description),
        policies(description),
        routes(description, conventions),
        schedule(description, event),
    ]
    .concat()
}

fn environment(description: &Description) -> String {
    let variables = grants::variables(description);
    let lines =
        variables.iter().map(|(variable, value)| format!("          {variable}: !Ref {value}\n"));
    under("      Environment:\n        Variables:\n", lines.collect())
}

fn policies(description: &Description) -> String {
    let grants = grants::of(description);
    let statement = |(resource, actions): (&String, &BTreeSet<String>)| {
        let actions = actions.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("            - {{Effect: Allow, Action: [{actions}], Resource: {resource}}}\n")
    };
    let mut statements: Vec<String> = grants.iter().map(statement).collect();
    statements.extend(description.resources.mail.then(|| MAIL.to_owned()));
    under("      Policies:\n        - Statement:\n", statements)
}

/// The routes of an endpoint.
fn routes(description: &Description, conventions: &Conventions) -> String {
    let api = &conventions.api;
    let Some(route) = &description.route else { return String::new() };
    let path =
        if route.path.contains('{') { format!("\"{}\"", route.path) } else { route.path.clone() };
    let auth = match description.sign_in {
        Some(SignIn::Required) => {
            format!(", Auth: {{Authorizer: {}}}", conventions.authorizer)
        }
        Some(SignIn::None | SignIn::Optional) | None if conventions.is_closed => {
            ", Auth: {Authorizer: NONE}".to_owned()
        }
        Some(SignIn::None | SignIn::Optional) | None => String::new(),
    };
    let head = description.head.then_some(("ApiHead", "HEAD"));
    let events = [("Api", route.method.as_str())].into_iter().chain(head).map(|(event, method)| {
        format!(
            "        {event}: {{Type: HttpApi, Properties: {{ApiId: !Ref {api}, Method: {method}, \
             Path: {path}{auth}}}}}\n"
        )
    });
    under("      Events:\n", events.collect())
}

/// The event of a consumer with a schedule. Lambda does not repeat a failed run, and drops a run that
/// has not begun when the next one is due.
fn schedule(description: &Description, event: &str) -> String {
    let Some(Source::Schedule(schedule)) = &description.source else { return String::new() };
    let expression = &schedule.expression;
    // Commas would end the value.
    let quote = if expression.contains(',') { "\"" } else { "" };
    format!(
        "      # A failed run is not repeated: the next one does its remaining work.\n      \
         EventInvokeConfig: {{MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: {}}}\n      Events:\n        \
         {event}: {{Type: Schedule, Properties: {{Schedule: {quote}{expression}{quote}}}}}\n",
        schedule.event_age_max_seconds
    )
}

/// The lines below a heading; nothing without lines.
fn under(heading: &str, lines: Vec<String>) -> String {
    if lines.is_empty() { String::new() } else { format!("{heading}{}", lines.concat()) }
}

/// The mapping of a consumer's queue or stream to its function, or to the function's alias.
pub(super) fn mapping(declared: &Declared<'_>, has_alias: bool) -> Option<String> {
    let alias = if has_alias { ".Alias" } else { "" };
    let source = declared.description.source.as_ref()?;
    let (arn, failures) = match source {
        Source::Queue(queue) => (format!("{}.Arn", logical_id(queue, "Queue")), String::new()),
        Source::Stream(table) => {
            let dead = logical_id(table, "DeadLetterQueue");
            let failures = format!(
                "      BisectBatchOnFunctionError: true\n      DestinationConfig: \
                 {{OnFailure: {{Destination: !GetAtt {dead}.Arn}}}}\n"
            );
            (format!("{}.StreamArn", logical_id(table, "Table")), failures)
        }
        Source::Schedule(_) | Source::Event(_) => return None,
    };
    Some(format!(
        "    Type: AWS::Lambda::EventSourceMapping\n    Properties:\n      \
         FunctionName: !Ref {}{alias}\n      EventSourceArn: !GetAtt {arn}\n      \
         FunctionResponseTypes: [ReportBatchItemFailures]\n{failures}",
        declared.id()
    ))
}

/// The queue of a consumer, with the number of deliveries that its retries need.
pub(super) fn queue(name: &str, deliveries_max: u32) -> String {
    let dead = logical_id(name, "DeadLetterQueue");
    format!(
        "{}      RedrivePolicy: {{deadLetterTargetArn: !GetAtt {dead}.Arn, \
         maxReceiveCount: {deliveries_max}}}\n",
        plain_queue(name)
    )
}

/// A dead-letter queue. It keeps messages for 14 days, SQS's maximum.
pub(super) fn dead_letters(name: &str) -> String {
    format!(
        "{}      MessageRetentionPeriod: 1209600\n",
        plain_queue(&format!("{name}-dead-letters"))
    )
}

fn plain_queue(name: &str) -> String {
    format!(
        "    Type: AWS::SQS::Queue\n    Properties:\n      \
         QueueName: !Sub [\"${{AWS::StackName}}-{name}-${{Creation}}\", {CREATION}]\n      \
         SqsManagedSseEnabled: true\n"
    )
}
