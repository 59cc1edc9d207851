//! The form of a request for items: which of them need no check by the embedded server.
//!
//! The server checks members that its operations would read in any form, such as those from before
//! expressions. For a flag that is a text it follows older rules. A request without such parts
//! means the same to the operation itself, which reads all other members strictly.

use serde_json::{Map, Value};

/// The operations on items.
const OPERATIONS: [&str; 10] = [
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];

/// Whether the form of a request for items leaves the embedded server nothing to check.
pub(crate) fn is_usual(operation: &str, input: &Value) -> bool {
    OPERATIONS.contains(&operation)
        && holds_for_all(input, |name, member| is_known(operation, name, member))
        && has_usual_values(input)
}

/// Whether a member of a request is known, and of its type.
fn is_known(operation: &str, name: &str, member: &Value) -> bool {
    match name {
        "ClientRequestToken"
        | "ConditionExpression"
        | "FilterExpression"
        | "IndexName"
        | "KeyConditionExpression"
        | "ProjectionExpression"
        | "ReturnConsumedCapacity"
        | "ReturnItemCollectionMetrics"
        | "ReturnValues"
        | "ReturnValuesOnConditionCheckFailure"
        | "Select"
        | "TableName"
        | "UpdateExpression" => member.is_string(),
        "ConsistentRead" | "ScanIndexForward" => member.is_boolean(),
        "Limit" => member.is_u64(),
        "ExpressionAttributeNames" => holds_for_all(member, |_, name| name.is_string()),
        "ExclusiveStartKey" | "ExpressionAttributeValues" | "Item" | "Key" => {
            holds_for_all(member, |_, value| value.is_object())
        }
        "RequestItems" => holds_for_all(member, |_, requests| match operation {
            "BatchGetItem" => requests.is_object(),
            _ => requests.as_array().is_some_and(|requests| requests.iter().all(is_write)),
        }),
        "TransactItems" => member.is_array(),
        _ => false,
    }
}

/// Whether a part of a batch has the form of a write.
fn is_write(request: &Value) -> bool {
    holds_for_all(request, |_, write| write.is_object())
}

/// Whether a value is an object, and this holds for all its members.
fn holds_for_all(value: &Value, holds: impl Fn(&str, &Value) -> bool) -> bool {
    let all = |members: &Map<String, Value>| members.iter().all(|(name, value)| holds(name, value));
    value.as_object().is_some_and(all)
}

/// Whether no attribute value is one for which the server follows older rules: a flag that is a
/// text, or a number with an exponent.
fn has_usual_values(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().all(|(name, member)| match (name.as_str(), member) {
                ("BOOL" | "NULL" | "Exists", Value::String(_)) => false,
                ("N", Value::String(number)) => has_no_exponent(number),
                ("NS", Value::Array(numbers)) => {
                    numbers.iter().all(|number| number.as_str().is_some_and(has_no_exponent))
                }
                (_, member) => has_usual_values(member),
            })
        }
        Value::Array(values) => values.iter().all(has_usual_values),
        _ => true,
    }
}

fn has_no_exponent(number: &str) -> bool {
    !number.contains(['e', 'E'])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_with_expressions_is_usual() {
        let key = json!({"pk": {"S": "1"}, "sk": {"N": "-2.5"}});
        let read = json!({"Keys": [key], "ConsistentRead": true});
        let writes = json!([{"PutRequest": {"Item": key}}, {"DeleteRequest": {"Key": key}}]);
        for (operation, request) in [
            ("GetItem", json!({"TableName": "t", "Key": key, "ConsistentRead": false})),
            (
                "UpdateItem",
                json!({
                    "TableName": "t", "Key": key, "UpdateExpression": "SET #a = :a",
                    "ExpressionAttributeNames": {"#a": "a"},
                    "ExpressionAttributeValues": {":a": {"NS": ["1", "2"]}},
                }),
            ),
            ("Query", json!({"TableName": "t", "Limit": 3, "ExclusiveStartKey": key})),
            ("BatchGetItem", json!({"RequestItems": {"t": read}})),
            ("BatchWriteItem", json!({"RequestItems": {"t": writes}})),
            ("TransactWriteItems", json!({"TransactItems": [{"Put": {"TableName": "t"}}]})),
        ] {
            assert!(is_usual(operation, &request), "{operation} {request}");
        }
    }

    #[test]
    fn a_request_that_the_server_has_to_check_is_not_usual() {
        let value = |value: Value| json!({"TableName": "t", "Item": {"pk": value}});
        for (operation, request) in [
            ("ListTables", json!({})),
            ("GetItem", Value::Null),
            ("GetItem", json!(["t", {}])),
            ("GetItem", json!({"TableName": 3})),
            ("GetItem", json!({"Key": ["pk"]})),
            ("GetItem", json!({"Key": {"pk": "1"}})),
            ("GetItem", json!({"AttributesToGet": ["pk"]})),
            ("GetItem", json!({"ConsistentRead": "true"})),
            ("Scan", json!({"Limit": "3"})),
            ("Scan", json!({"Limit": -3})),
            ("Scan", json!({"ExpressionAttributeNames": {"#a": 1}})),
            ("Query", json!({"KeyConditions": {}})),
            ("Query", json!({"ExclusiveStartKey": null})),
            ("PutItem", json!({"Expected": {}})),
            ("PutItem", value(json!({"BOOL": "true"}))),
            ("PutItem", value(json!({"L": [{"NULL": "true"}]}))),
            ("PutItem", value(json!({"N": "1E3"}))),
            ("PutItem", value(json!({"M": {"a": {"NS": ["1", "2e3"]}}}))),
            ("PutItem", value(json!({"NS": [1]}))),
            ("BatchGetItem", json!({"RequestItems": {"t": []}})),
            ("BatchWriteItem", json!({"RequestItems": {"t": {}}})),
            ("BatchWriteItem", json!({"RequestItems": {"t": [{"PutRequest": []}]}})),
            ("TransactGetItems", json!({"TransactItems": {}})),
        ] {
            assert!(!is_usual(operation, &request), "{operation} {request}");
        }
    }
}
