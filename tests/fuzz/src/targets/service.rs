//! Requests to the simulated services, with their expressions.
//!
//! They answer each request, with a status of 200 or 400 and in JSON.

use serde_json::Value as Json;
use simulation::Millis;
use simulation::random::Seeded;
use simulation::services::dynamodb::TableDefinition;
use simulation::services::sqs::QueueDefinition;
use simulation::services::{Called, Freedom, Permissions, Services, WireRequest};

use crate::seeds::{named, seed};
use crate::{Seed, Target, mutate};

/// The target.
pub const SERVICE: Target = Target {
    name: "service",
    run,
    seeds,
    mutate: mutate::json,
    max_len: 8 * 1024,
    dictionary: &[
        "attribute_not_exists(",
        "attribute_exists(",
        "attribute_type(",
        "begins_with(",
        "contains(",
        "size(",
        " BETWEEN ",
        " AND ",
        " OR ",
        "NOT ",
        " IN (",
        "SET ",
        "REMOVE ",
        "ADD ",
        "DELETE ",
        "if_not_exists(",
        "list_append(",
        ":v",
        "#n",
        "[0]",
        "<>",
        "<=",
        "\"Key\"",
        "\"Item\"",
        "\"ReturnValues\"",
    ],
};

fn run(input: &[u8]) {
    let Some((target, body)) = named(input) else { return };
    let (mut random, mut services) = (Seeded::new(1), Services::new(Freedom::none()));
    services.grant("fuzzer", Permissions::everything());
    let table = TableDefinition::new("things", "pk");
    services.add_table(table).expect("it is valid");
    services.add_queue(QueueDefinition::new("work")).expect("it is valid");
    services.add_secret("secret", "text", &mut random);
    for number in 0..3 {
        let item = serde_json::json!({
            "pk": { "S": format!("{number}") }, "n": { "N": format!("{number}.5") },
            "l": { "L": [{ "S": "a" }, { "N": "1" }] }, "m": { "M": { "x": { "BOOL": true } } },
            "s": { "SS": ["a", "b"] },
        });
        services.put_item("things", &item, &mut random).expect("it is valid");
    }
    let request = WireRequest { caller: "fuzzer", target: Some(target), path: "/", body };
    let response = match services.call(Millis(1), &mut random, request) {
        Called::AtOnce(response) => response,
        Called::CompletesAt(at, call) => {
            let ended = services.advance(at, &mut random);
            match ended.into_iter().find(|(ended, _)| *ended == call) {
                Some((_, response)) => response,
                None => return,
            }
        }
    };
    assert!(matches!(response.status, 200 | 400 | 404), "{response:?}");
    let parsed: Result<Json, _> = serde_json::from_slice(&response.body);
    assert!(parsed.is_ok(), "{response:?}");
}

fn seeds() -> Vec<Seed> {
    let key = r#""TableName":"things","Key":{"pk":{"S":"1"}}"#;
    let dynamodb = [
        ("GetItem", format!(r##"{{{key},"ProjectionExpression":"#n, l[0], m.x","ExpressionAttributeNames":{{"#n":"n"}}}}"##)),
        ("PutItem", r#"{"TableName":"things","Item":{"pk":{"S":"9"},"v":{"N":"1"}},"ConditionExpression":"attribute_not_exists(pk)","ReturnValues":"ALL_OLD"}"#.to_owned()),
        ("UpdateItem", format!(r#"{{{key},"UpdateExpression":"SET n = n + :v, l = list_append(l, :l), z = if_not_exists(z, :v) REMOVE m.x ADD c :v DELETE s :s","ConditionExpression":"n BETWEEN :v AND :w AND (size(l) > :v OR NOT contains(s, :t)) AND begins_with(pk, :t)","ExpressionAttributeValues":{{":v":{{"N":"1"}},":w":{{"N":"9"}},":t":{{"S":"1"}},":l":{{"L":[]}},":s":{{"SS":["a"]}}}}}}"#)),
        ("DeleteItem", format!(r#"{{{key},"ConditionExpression":"attribute_type(n, :t) AND pk IN (:a, :b)","ExpressionAttributeValues":{{":t":{{"S":"N"}},":a":{{"S":"1"}},":b":{{"S":"2"}}}}}}"#)),
        ("Query", r#"{"TableName":"things","KeyConditionExpression":"pk = :p","FilterExpression":"n >= :v","ExpressionAttributeValues":{":p":{"S":"1"},":v":{"N":"0"}},"Limit":2,"ScanIndexForward":false}"#.to_owned()),
        ("Scan", r#"{"TableName":"things","FilterExpression":"attribute_exists(m.x)","Limit":1,"Segment":0,"TotalSegments":2}"#.to_owned()),
        ("BatchGetItem", r#"{"RequestItems":{"things":{"Keys":[{"pk":{"S":"1"}},{"pk":{"S":"2"}}]}}}"#.to_owned()),
        ("BatchWriteItem", r#"{"RequestItems":{"things":[{"PutRequest":{"Item":{"pk":{"S":"7"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"1"}}}}]}}"#.to_owned()),
        ("TransactWriteItems", format!(r#"{{"ClientRequestToken":"t","TransactItems":[{{"Put":{{"TableName":"things","Item":{{"pk":{{"S":"8"}}}}}}}},{{"ConditionCheck":{{{key},"ConditionExpression":"attribute_exists(pk)"}}}}]}}"#)),
        ("TransactGetItems", format!(r#"{{"TransactItems":[{{"Get":{{{key}}}}}]}}"#)),
    ];
    let url = r#""QueueUrl":"https://sqs.us-east-1.amazonaws.com/123456789012/work""#;
    let sqs = [
        (
            "SendMessage",
            format!(
                r#"{{{url},"MessageBody":"hello","DelaySeconds":1,"MessageAttributes":{{"a":{{"DataType":"String","StringValue":"b"}}}}}}"#
            ),
        ),
        (
            "SendMessageBatch",
            format!(
                r#"{{{url},"Entries":[{{"Id":"1","MessageBody":"a"}},{{"Id":"2","MessageBody":"b"}}]}}"#
            ),
        ),
        ("ReceiveMessage", format!(r#"{{{url},"MaxNumberOfMessages":10,"WaitTimeSeconds":0}}"#)),
        ("DeleteMessage", format!(r#"{{{url},"ReceiptHandle":"x"}}"#)),
        (
            "ChangeMessageVisibility",
            format!(r#"{{{url},"ReceiptHandle":"x","VisibilityTimeout":5}}"#),
        ),
    ];
    let secrets = [
        ("GetSecretValue", r#"{"SecretId":"secret","VersionStage":"AWSCURRENT"}"#.to_owned()),
        ("PutSecretValue", r#"{"SecretId":"secret","ClientRequestToken":"8f2d6c1e-7b0a-4b53-9a5e-2f1c64d0e9b7","SecretString":"x","VersionStages":["AWSPENDING"]}"#.to_owned()),
        ("DescribeSecret", r#"{"SecretId":"secret"}"#.to_owned()),
    ];
    let of = |service: &str, calls: &[(&str, String)]| -> Vec<Seed> {
        let calls = calls
            .iter()
            .map(|(operation, body)| seed(&format!("{service}.{operation}"), "", body.as_bytes()));
        calls.collect()
    };
    [of("DynamoDB_20120810", &dynamodb), of("AmazonSQS", &sqs), of("secretsmanager", &secrets)]
        .concat()
}
