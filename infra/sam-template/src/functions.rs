//! `AWS::Serverless::Function`.

use std::path::Path;

use serde_json::Value;

use super::error::TemplateError;
use super::events::EventDeclaration;
use super::given_names;
use super::ignored_properties;
use super::model::{Api, Code, Function};
use super::policies::Policies;
use super::properties::FunctionProperties;
use super::reader::Reader;

/// The runtimes whose functions are binaries.
const RUNTIMES: &[&str] = &["provided", "provided.al2", "provided.al2023"];

/// The handler of a function that names none.
const HANDLER: &str = "bootstrap";

/// A function as the template declares it.
pub(super) struct Declared {
    pub(super) function: Function,
    /// Whether it names a role, so that SAM adds no permissions.
    pub(super) has_role: bool,
    pub(super) url: Option<Api>,
    /// Its events by name.
    pub(super) events: Vec<(String, EventDeclaration)>,
}

/// Reads a function.
pub(super) fn read(
    reader: &Reader<'_>,
    id: &str,
    declaration: &Value,
) -> Result<Declared, TemplateError> {
    let properties: FunctionProperties =
        reader.properties(id, declaration, "Function", ignored_properties::FUNCTION)?;
    let mut errors = Vec::new();
    if properties.package_type.as_deref().unwrap_or("Zip") != "Zip" {
        errors.push(TemplateError::in_resource(id, "PackageType", "a container image"));
    } else if !properties.runtime.as_deref().is_some_and(|runtime| RUNTIMES.contains(&runtime)) {
        let runtime = properties.runtime.as_deref().unwrap_or("no runtime");
        let what = format!("a runtime other than {}: {runtime}", RUNTIMES.join(", "));
        errors.push(TemplateError::in_resource(id, "Runtime", &what));
    }
    let policies = Policies { reader, function: id };
    let statements = match &properties.role {
        Some(role) => policies.of_role(role),
        None => policies.statements(properties.policies),
    };
    let url = properties.function_url_config.map(|url| url.into_api(id)).transpose();
    let (binary, code) = code(id, declaration, properties.code_uri.as_ref());
    match (statements, url, TemplateError::of(errors)) {
        (Ok(policies), Ok(url), None) => Ok(Declared {
            function: Function {
                logical_id: id.to_owned(),
                name: given_names::FUNCTION.name(reader, id, declaration)?,
                binary,
                code,
                handler: properties.handler.unwrap_or_else(|| HANDLER.to_owned()),
                environment: properties.environment.variables,
                timeout: properties.timeout,
                memory_mb: properties.memory_size,
                reserved_concurrency: properties.reserved_concurrent_executions,
                policies,
            },
            has_role: properties.role.is_some(),
            url,
            events: properties.events.into_iter().collect(),
        }),
        (statements, url, error) => {
            let all = [statements.err(), url.err(), error].into_iter().flatten().collect();
            Err(TemplateError::of(all).expect("one of them is an error"))
        }
    }
}

/// The name of a function's binary, and its place.
fn code(id: &str, declaration: &Value, code_uri: Option<&Value>) -> (String, Code) {
    let named = declaration.pointer("/Metadata/BuildProperties/Binary").and_then(Value::as_str);
    let directory = code_uri.and_then(Value::as_str).unwrap_or(".");
    if let Some(name) = named {
        let directory = directory.to_owned();
        return (name.to_owned(), Code::Binary { name: name.to_owned(), directory });
    }
    let last = Path::new(directory).file_name().and_then(|name| name.to_str());
    (last.unwrap_or(id).to_owned(), Code::Directory(directory.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{Template, Trigger};

    use super::*;

    fn template(properties: &str, metadata: &str) -> Result<Template, TemplateError> {
        let source = format!(
            "Resources:
  Q: {{Type: 'AWS::SQS::Queue'}}
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{{AttributeName: pk, AttributeType: S}}]
      KeySchema: [{{AttributeName: pk, KeyType: HASH}}]
      StreamSpecification: {{StreamViewType: NEW_IMAGE}}
  F:
    Type: AWS::Serverless::Function
    Metadata: {metadata}
    Properties: {{{properties}}}
"
        );
        Template::parse(&source, &BTreeMap::new())
    }

    #[test]
    fn the_binary_is_named_or_at_code_uri() {
        let directory = |path: &str| Code::Directory(path.to_owned());
        let named = Code::Binary { name: "get".to_owned(), directory: "x".to_owned() };
        for (code, metadata, name, expected) in [
            ("CodeUri: x", "{BuildProperties: {Binary: get}}", "get", named),
            ("CodeUri: target/lambda/get-it/", "{}", "get-it", directory("target/lambda/get-it/")),
            ("CodeUri: .", "{BuildMethod: rust-cargolambda}", "F", directory(".")),
            ("Handler: bootstrap", "{}", "F", directory(".")),
        ] {
            let template = template(&format!("Runtime: provided.al2, {code}"), metadata).unwrap();
            let function = &template.functions["F"];
            assert_eq!((function.binary.as_str(), &function.code), (name, &expected), "{code}");
        }
    }

    #[test]
    fn a_function_has_its_handler_or_bootstrap() {
        for (handler, expected) in [("", "bootstrap"), (", Handler: work.main", "work.main")] {
            let template = template(&format!("Runtime: provided.al2{handler}"), "{}").unwrap();
            assert_eq!(template.functions["F"].handler, expected);
        }
    }

    #[test]
    fn a_consumed_table_without_a_stream_is_an_error_at_the_table() {
        let source = |table: &str| {
            format!(
                "Resources:
  {table}:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{{AttributeName: pk, AttributeType: S}}]
      KeySchema: [{{AttributeName: pk, KeyType: HASH}}]
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Events:
        T: {{Type: DynamoDB, Properties: {{Stream: !GetAtt T.StreamArn, StartingPosition: LATEST}}}}
"
            )
        };
        for (table, expected) in [
            (
                "T",
                "/Resources/T/Properties/StreamSpecification: none, but F consumes the stream: \
                 StreamViewType is missing, such as NEW_IMAGE",
            ),
            ("U", "T, which the template does not have"),
        ] {
            let error = Template::parse(&source(table), &BTreeMap::new()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_function_of_another_runtime_or_an_image_is_an_error() {
        for (properties, said) in [
            ("Runtime: python3.13", "a runtime other than provided"),
            ("Handler: x", "Runtime: a runtime other than provided"),
            ("PackageType: Image", "/F/Properties/PackageType: a container image"),
            (
                "PackageType: Image, ImageUri: x, ImageConfig: {Command: [bootstrap]}",
                "/F/Properties/PackageType: a container image",
            ),
        ] {
            let message = template(properties, "{}").unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn events_of_queues_and_streams_are_mappings_with_the_permissions_of_sam() {
        let events = "Q: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn, BatchSize: 5, \
                      FilterCriteria: {Filters: [{Pattern: '{\"body\": {\"a\": [1]}}'}]}}}, \
                      T: {Type: DynamoDB, Properties: {Stream: !GetAtt T.StreamArn, \
                      StartingPosition: LATEST, MaximumRetryAttempts: -1, \
                      DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Q.Arn}}}}";
        let runtime = "Runtime: provided.al2023";
        let template = template(&format!("{runtime}, Events: {{{events}}}"), "{}").unwrap();

        let triggers: Vec<_> = template.event_sources.iter().map(|it| &it.trigger).collect();
        let [Trigger::Queue(queue), Trigger::Stream(stream)] = triggers[..] else {
            panic!("{triggers:?}")
        };
        assert_eq!((queue.queue.as_str(), queue.batch_size, queue.filters.len()), ("Q", 5, 1));
        assert_eq!((stream.table.as_str(), stream.maximum_retry_attempts), ("T", None));
        let grants = template.grants();
        let short: Vec<String> =
            grants.iter().map(|it| format!("{} {}", it.action, it.resource)).collect();
        assert_eq!(
            short,
            [
                "dynamodb:DescribeStream *",
                "dynamodb:GetRecords *",
                "dynamodb:GetShardIterator *",
                "dynamodb:ListStreams *",
                "sqs:DeleteMessage *",
                "sqs:GetQueueAttributes *",
                "sqs:ReceiveMessage *",
                "sqs:SendMessage Q",
            ]
        );
    }

    #[test]
    fn a_schedule_runs_unless_it_is_disabled() {
        let schedule = |properties: &str| {
            let events = format!("Events: {{S: {properties}}}");
            template(&format!("Runtime: provided.al2023, {events}"), "{}").unwrap()
        };
        let runs = |properties: &str| schedule(properties).event_sources.len();

        assert_eq!(runs("{Type: Schedule, Properties: {Schedule: rate(1 minute)}}"), 1);
        let second = "{Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute)}}";
        assert_eq!(runs(second), 1);
        let off = "{Type: Schedule, Properties: {Schedule: rate(1 minute), Enabled: false}}";
        assert_eq!(runs(off), 0);
        assert_eq!(schedule(off).skipped[0].to_string(), "the schedule S (F): disabled");
    }

    #[test]
    fn a_schedule_runs_without_its_dates_and_has_a_line() {
        for date in ["StartDate: '2030-01-01T00:00:00Z'", "EndDate: '2020-01-01T00:00:00Z'"] {
            let schedule = format!("{{ScheduleExpression: rate(1 minute), {date}}}");
            let events = format!("Events: {{S: {{Type: ScheduleV2, Properties: {schedule}}}}}");
            let template = template(&format!("Runtime: provided.al2023, {events}"), "{}").unwrap();

            assert_eq!(template.event_sources.len(), 1);
            let line = template.skipped[0].to_string();
            assert!(line.starts_with("the start and end dates of the schedule S (F): "), "{line}");
        }
    }

    #[test]
    fn a_disabled_source_and_a_tumbling_window_have_a_line() {
        let lines = |events: &str| {
            let properties = format!("Runtime: provided.al2023, Events: {{{events}}}");
            let template = template(&properties, "{}").unwrap();
            let lines = template.skipped.iter().map(ToString::to_string).collect::<Vec<_>>();
            (template.event_sources.len(), lines)
        };
        let stream = "Stream: !GetAtt T.StreamArn, StartingPosition: LATEST";
        let off = format!(
            "A: {{Type: SQS, Properties: {{Queue: !GetAtt Q.Arn, Enabled: false}}}}, \
             B: {{Type: DynamoDB, Properties: {{{stream}, Enabled: 'false'}}}}"
        );
        let expected = ["the event A (F): disabled", "the event B (F): disabled"];
        assert_eq!(lines(&off), (0, expected.map(str::to_owned).to_vec()));
        let window = "TumblingWindowInSeconds: 60";
        let window = format!("A: {{Type: DynamoDB, Properties: {{{stream}, {window}}}}}");
        let expected = "TumblingWindowInSeconds (F): batches have no windows here".to_owned();
        assert_eq!(lines(&window), (1, vec![expected]));
    }

    #[test]
    fn an_event_of_a_service_that_is_not_emulated_is_left_out_with_a_line() {
        let events = "Events: {N: {Type: SNS, Properties: {Topic: !Ref Q}}}";
        let template = template(&format!("Runtime: provided.al2023, {events}"), "{}").unwrap();
        assert!(template.event_sources.is_empty());
        let line = template.skipped[0].to_string();
        assert!(line.starts_with("the event N of type SNS (F): not delivered here"), "{line}");
    }
}
