use crate::{ReadOptions, TemplateValue};

use super::*;

fn read(resources: &str, ignored: &[&str]) -> Result<Template, String> {
    let ignored = ignored.iter().map(|it| (*it).to_owned()).collect();
    let options = ReadOptions { ignored, ..ReadOptions::default() };
    let template = Template::parse_with(&format!("Resources:\n{resources}"), &options);
    template.map_err(|error| error.to_string())
}

/// The parts that are left out because they refer to a resource that is not here.
fn absent(template: &Template) -> Vec<String> {
    let absent = template.skipped.iter().filter(|it| it.why == ABSENT || it.why == UNCHECKED);
    absent.map(|it| it.to_string().replace(&format!(": {}", it.why), "")).collect()
}

/// The triggers of a template, by their names.
fn triggers(template: &Template) -> BTreeMap<&str, &Trigger> {
    template.event_sources.iter().map(|it| (it.name.as_str(), &it.trigger)).collect()
}

const TABLE: &str = "Type: AWS::DynamoDB::Table
    Properties:
      TableName: orders
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}";

#[test]
fn parts_that_refer_to_a_resource_left_out_are_left_out_with_a_line() {
    let resources = format!(
        "  Q: {{Type: AWS::SQS::Queue}}
  R:
    Type: AWS::SQS::Queue
    Properties: {{RedrivePolicy: {{deadLetterTargetArn: !GetAtt Q.Arn, maxReceiveCount: 3}}}}
  Api: {{Type: AWS::Serverless::HttpApi}}
  Topic: {{Type: AWS::SNS::Topic}}
  Clicks: {{Type: AWS::Kinesis::Stream}}
  T:
    {TABLE}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Environment: {{Variables: {{URL: !Ref Q}}}}
      Events:
        Jobs: {{Type: SQS, Properties: {{Queue: !GetAtt Q.Arn}}}}
        Get: {{Type: HttpApi, Properties: {{ApiId: !Ref Api, Path: /, Method: get}}}}
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt T.StreamArn
            StartingPosition: LATEST
            DestinationConfig: {{OnFailure: {{Type: SNS, Destination: !Ref Topic}}}}
  M:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref F, EventSourceArn: !GetAtt Q.Arn}}
  N:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref F, EventSourceArn: !GetAtt Clicks.Arn, StartingPosition: LATEST}}
"
    );
    let destination = "DestinationConfig (F)";

    let all = read(&resources, &[]).unwrap();
    assert_eq!(absent(&all), ["AWS::Lambda::EventSourceMapping (N)", destination]);
    assert_eq!(triggers(&all).len(), 3);

    let some = read(&resources, &["Q", "Api"]).unwrap();
    assert_eq!(
        absent(&some),
        [
            "AWS::Lambda::EventSourceMapping (M, N)",
            destination,
            "RedrivePolicy (R)",
            "the event Get (F)",
            "the event Jobs (F)",
        ]
    );
    assert_eq!(some.queues["R"].redrive, None);
    assert!(some.apis.is_empty());
    let left = triggers(&some);
    let Some(Trigger::Stream(stream)) = left.get("Changes") else { panic!("{left:?}") };
    assert_eq!((left.len(), &stream.on_failure_queue), (1, &None));

    let none = read(&resources, &["F"]).unwrap();
    assert!(none.event_sources.is_empty(), "{none:?}");
}

const MORE: &str = "  F: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023}}
  Q: {Type: AWS::SQS::Queue}
  Key: {Type: AWS::SecretsManager::Secret}
  Rotation:
    Type: AWS::SecretsManager::RotationSchedule
    Properties:
      SecretId: !Ref Key
      RotationLambdaARN: !GetAtt F.Arn
      RotationRules: {ScheduleExpression: rate(1 day)}
  Mails: {Type: AWS::SES::ConfigurationSet}
  Destination:
    Type: AWS::SES::ConfigurationSetEventDestination
    Properties:
      ConfigurationSetName: !Ref Mails
      EventDestination:
        Enabled: true
        MatchingEventTypes: [bounce]
        EventBridgeDestination:
          EventBusArn: !Sub 'arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default'
  Bounced:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.ses]}
      Targets: [{Id: queue, Arn: !GetAtt Q.Arn}]
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Cors: \"'*'\"
      Auth: {DefaultAuthorizer: Tokens, Authorizers: {Tokens: {FunctionArn: !GetAtt F.Arn}}}
  G:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Events: {Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /, Method: get}}}
";

#[test]
fn rotations_mails_and_authorizers_are_left_out_with_their_resources() {
    let all = read(MORE, &[]).unwrap();
    assert!(absent(&all).is_empty());
    assert_eq!(all.apis[0].routes[0].authorizer.as_deref(), Some("Tokens"));

    let some = read(MORE, &["F", "Q", "Mails"]).unwrap();
    assert_eq!(
        absent(&some),
        [
            "AWS::SES::ConfigurationSetEventDestination (Destination)",
            "AWS::SecretsManager::RotationSchedule (Rotation)",
            "Targets (Bounced)",
            "the authorizer Tokens (Api)",
        ]
    );
    assert!(some.event_destinations.is_empty() && some.event_rules[0].queues.is_empty());
    let api = &some.apis[0];
    assert!(api.authorizers.is_empty());
    assert_eq!(api.routes[0].authorizer, None);
    assert_eq!(api.cors.as_ref().unwrap().preflight_authorizer, None);
}

const JOBS: &str = "!Sub 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:jobs'";
const WORKER: &str = "!Sub 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:worker'";

fn named(queue: &str, function: &str) -> Result<Template, String> {
    let resources = format!(
        "  Jobs: {{Type: AWS::SQS::Queue, Properties: {{QueueName: jobs}}}}
  R:
    Type: AWS::SQS::Queue
    Properties: {{RedrivePolicy: {{deadLetterTargetArn: {JOBS}, maxReceiveCount: 3}}}}
  Key: {{Type: AWS::SecretsManager::Secret, Properties: {{Name: /shop/key}}}}
  Mails: {{Type: AWS::SES::ConfigurationSet, Properties: {{Name: mails}}}}
  T:
    {TABLE}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      FunctionName: worker
      Events:
        E: {{Type: SQS, Properties: {{Queue: {queue}}}}}
        D:
          Type: DynamoDB
          Properties:
            Stream: !Sub 'arn:aws:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/orders/stream/1'
            StartingPosition: LATEST
            DestinationConfig: {{OnFailure: {{Type: SQS, Destination: {JOBS}}}}}
  M:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: {function}, EventSourceArn: {JOBS}}}
  N:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !GetAtt Work.Arn
      EventSourceArn: !Sub '${{T.StreamArn}}'
      StartingPosition: LATEST
  Rotation:
    Type: AWS::SecretsManager::RotationSchedule
    Properties:
      SecretId: /shop/key
      RotationLambdaARN: {WORKER}
      RotationRules: {{ScheduleExpression: rate(1 day)}}
  Destination:
    Type: AWS::SES::ConfigurationSetEventDestination
    Properties:
      ConfigurationSetName: mails
      EventDestination:
        Enabled: true
        MatchingEventTypes: [bounce]
        EventBridgeDestination:
          EventBusArn: !Sub 'arn:aws:events:${{AWS::Region}}:${{AWS::AccountId}}:event-bus/default'
  Bounced:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {{source: [aws.ses]}}
      Targets: [{{Id: queue, Arn: {JOBS}}}]
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth: {{Authorizers: {{Tokens: {{FunctionArn: {WORKER}}}}}}}
"
    );
    read(&resources, &[])
}

#[test]
fn a_name_or_an_arn_stands_for_its_resource() {
    let template = named(JOBS, "worker").unwrap();

    assert!(template.skipped.is_empty(), "{:?}", template.skipped);
    assert!(template.event_sources.iter().all(|it| it.function == "Work"));
    let redrive = template.queues["R"].redrive.as_ref().unwrap();
    assert_eq!(redrive.dead_letter_queue, "Jobs");
    assert_eq!(template.event_destinations[0].configuration_set, "Mails");
    assert_eq!(template.event_rules[0].queues, ["Jobs"]);
    assert_eq!(template.apis[0].authorizers["Tokens"].function, "Work");
    let found = triggers(&template).into_iter().map(|(name, trigger)| match trigger {
        Trigger::Queue(trigger) => (name, trigger.queue.as_str()),
        Trigger::Stream(trigger) => (name, trigger.table.as_str()),
        Trigger::Rotation(trigger) => (name, trigger.secret.as_str()),
        Trigger::Schedule(trigger) => (name, trigger.expression.as_str()),
    });
    let expected = [("D", "T"), ("E", "Jobs"), ("M", "Jobs"), ("N", "T"), ("Rotation", "Key")];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    let grants = template.grants();
    assert!(grants.iter().any(|it| it.to_string() == "Work sqs:SendMessage Jobs"), "{grants:?}");
}

#[test]
fn a_function_has_the_forms_of_its_name_that_lambda_accepts() {
    let live = WORKER.replace("worker'", "worker:live'");
    for function in ["!Ref Work", WORKER, live.as_str(), "'000000000000:function:worker'"] {
        let template = named(JOBS, function).unwrap();
        assert!(template.event_sources.iter().all(|it| it.function == "Work"), "{function}");
    }
}

#[test]
fn a_name_or_an_arn_outside_of_the_template_is_an_error() {
    let of_queue = |text: &str| {
        format!("/Resources/Work/Properties/: \"{text}\", which is not the ARN of a queue of this")
    };
    let elsewhere = "arn:aws:sqs:eu-west-1:111111111111:jobs";
    for (queue, function, expected) in [
        ("jobs", "worker", of_queue("jobs")),
        ("Jobs", "worker", of_queue("Jobs")),
        (elsewhere, "worker", of_queue(elsewhere)),
        (
            JOBS,
            "Work",
            "/Resources/M/Properties/: \"Work\", which is not the name or ARN of a function"
                .to_owned(),
        ),
    ] {
        let error = named(queue, function).unwrap_err();
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn authorizers_and_rotations_take_the_arn_of_a_function() {
    let with = |property: &str, function: &str| {
        let there = format!("{property}: !GetAtt F.Arn");
        read(&MORE.replace(&there, &format!("{property}: {function}")), &[])
    };
    for property in ["FunctionArn", "RotationLambdaARN"] {
        with(property, "'arn:aws:lambda:eu-west-1:000000000000:function:local-F:live'").unwrap();
        let error = with(property, "local-F").unwrap_err();
        let expected = "\"local-F\", which is not the ARN of a function of this template";
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_mapping_takes_the_arn_of_a_stream() {
    let table = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders";
    let with = |source: &str| {
        let resources = format!(
            "  T:
    {TABLE}
  F: {{Type: AWS::Serverless::Function, Properties: {{Runtime: provided.al2023}}}}
  M:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref F, EventSourceArn: '{source}', StartingPosition: LATEST}}
"
        );
        read(&resources, &[])
    };
    with(&format!("{table}/stream/1")).unwrap();
    let error = with(table).unwrap_err();
    let expected = format!("\"{table}\", which is not the ARN of the stream of a table of this");
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn parts_with_the_given_name_of_a_resource_left_out_are_left_out() {
    let resources = format!(
        "  Jobs: {{Type: AWS::SQS::Queue, Properties: {{QueueName: jobs}}}}
  Q: {{Type: AWS::SQS::Queue}}
  R:
    Type: AWS::SQS::Queue
    Properties: {{RedrivePolicy: {{deadLetterTargetArn: {JOBS}, maxReceiveCount: 3}}}}
  Key: {{Type: AWS::SecretsManager::Secret, Properties: {{Name: /shop/key}}}}
  G: {{Type: AWS::Serverless::Function, Properties: {{Runtime: provided.al2023}}}}
  H:
    Type: AWS::Serverless::Function
    Properties: {{Runtime: provided.al2023, FunctionName: worker}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      FunctionName: jobs
      Events: {{E: {{Type: SQS, Properties: {{Queue: {JOBS}}}}}}}
  M:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: worker, EventSourceArn: !GetAtt Q.Arn}}
  N:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Sub '${{AWS::AccountId}}:function:${{G}}'
      EventSourceArn: !GetAtt Q.Arn
  Here:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: jobs, EventSourceArn: !GetAtt Q.Arn}}
  Rotation:
    Type: AWS::SecretsManager::RotationSchedule
    Properties:
      SecretId: /shop/key
      RotationLambdaARN: !GetAtt F.Arn
      RotationRules: {{ScheduleExpression: rate(1 day)}}
"
    );
    let template = read(&resources, &["Jobs", "Key", "G", "H"]).unwrap();
    assert_eq!(
        absent(&template),
        [
            "AWS::Lambda::EventSourceMapping (M, N)",
            "AWS::SecretsManager::RotationSchedule (Rotation)",
            "RedrivePolicy (R)",
            "the event E (F)",
        ]
    );
    assert_eq!(triggers(&template).into_keys().collect::<Vec<_>>(), ["Here"]);
}

#[test]
fn values_of_other_stacks_are_texts_with_a_line() {
    let template = read(
        "  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Role: !ImportValue role
      Environment: {Variables: {T: !ImportValue table}}
      Events:
        N: {Type: SNS, Properties: {Topic: !ImportValue topic}}
        J: {Type: SQS, Properties: {Queue: !ImportValue jobs}}
",
        &[],
    )
    .unwrap();

    let value = TemplateValue::literal("{{resolve:import:table}}");
    assert_eq!(template.functions["F"].environment["T"], value);
    assert!(template.event_sources.is_empty());
    let lines: Vec<String> = template.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "Role (F): a role outside of the template; here it allows everything",
            "the event J (F): refers to a resource that is left out or imported",
            "the event N of type SNS (F): not delivered here; invoke the function at the control \
             address",
            "the imported values (F): not known here; the names of their exports stand for them",
        ]
    );
}
