use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::*;
use crate::services::dynamodb::value::{Item, item_of, item_to_json};
use crate::services::wire::AwsError;

fn item(json: Json) -> Item {
    item_of(&json).unwrap()
}

fn known(values: Json) -> Placeholders {
    let names = [("#a", "a"), ("#s", "phase"), ("#dot", "a.b")];
    let names: BTreeMap<String, String> =
        names.map(|(alias, name)| (alias.to_owned(), name.to_owned())).into();
    let values = if values == json!({}) { None } else { Some(&values) };
    Placeholders::of(Some(&names), values, true).unwrap()
}

fn stored() -> Item {
    item(json!({
        "a": { "N": "5" },
        "phase": { "S": "OPEN" },
        "a.b": { "BOOL": true },
        "tags": { "SS": ["x", "y"] },
        "parts": { "L": [{ "M": { "quantity": { "N": "2" } } }, { "S": "two" }] },
        "nothing": { "NULL": true },
    }))
}

fn values() -> Json {
    json!({
        ":five": { "N": "5.0" }, ":six": { "N": "6" }, ":open": { "S": "OPEN" },
        ":op": { "S": "OP" }, ":x": { "S": "x" }, ":two": { "N": "2" }, ":type": { "S": "L" },
        ":list": { "L": [{ "S": "z" }] }, ":set": { "SS": ["y", "z"] }, ":all": { "SS": ["x", "y"] },
    })
}

#[test]
fn conditions_hold_as_documented() {
    for (expression, expected) in [
        ("a = :five", true),
        ("a <> :five", false),
        ("unset <> :five", true),
        ("unset = :five", false),
        ("a < :six AND a > :two", true),
        ("phase < :six", false),
        ("#a BETWEEN :two AND :six", true),
        ("phase IN (:x, :open)", true),
        ("attribute_exists(parts[0].quantity)", true),
        ("attribute_exists(parts[2])", false),
        ("attribute_not_exists(parts[0].unset)", true),
        ("attribute_type(parts, :type)", true),
        ("begins_with(#s, :op)", true),
        ("contains(tags, :x)", true),
        ("contains(#s, :op)", true),
        ("contains(parts, :x)", false),
        ("size(tags) = :two", true),
        ("size(a) = :two", false),
        ("parts[0].quantity = :two", true),
        ("NOT a = :five", false),
        ("NOT (a = :six OR phase = :x)", true),
        ("a = :six OR a = :five AND phase = :open", true),
        ("(a = :six OR a = :five) and phase = :x", false),
        ("attribute_exists(#dot)", true),
        ("attribute_exists(nothing)", true),
    ] {
        let condition =
            Condition::parse("ConditionExpression", expression, &mut known(values())).unwrap();
        assert_eq!(holds(&condition, &stored()), expected, "{expression}");
    }
}

#[test]
fn an_invalid_condition_is_an_error_with_its_reason() {
    for (expression, reason) in [
        ("", "The expression can not be empty;"),
        ("a =", "Syntax error; token: \"<EOF>\""),
        ("a = :five)", "Syntax error; token: \")\""),
        ("a ! :five", "Syntax error; token: \"!\""),
        ("#other = :five", "attribute name used in the document path is not defined"),
        ("a = :other", "attribute value used in expression is not defined"),
        ("is(a, :five)", "Invalid function name; function: is"),
        ("((a = :five))", "The expression has redundant parentheses;"),
        ("a = a", "The first operand must be distinct"),
        ("begins_with(a, :five)", "Incorrect operand type"),
        ("a BETWEEN :six AND :two", "requires upper bound"),
        ("a BETWEEN :six AND :x", "requires same data type"),
        ("attribute_type(a, :x)", "Invalid attribute type name"),
        ("tags < :set", "Incorrect operand type"),
        ("attribute_exists(a", "Syntax error"),
        ("parts[x] = :x", "Syntax error"),
        ("status = :x", "Attribute name is a reserved keyword; reserved keyword: status"),
        ("size(a.Name) = :x", "reserved keyword: Name"),
        ("a = and", "Syntax error; token: \"and\""),
    ] {
        let condition = Condition::parse("FilterExpression", expression, &mut known(values()));
        let message = condition.unwrap_err().message;
        assert!(message.starts_with("Invalid FilterExpression: "), "{message}");
        assert!(message.contains(reason), "{expression}: {message}");
    }
}

#[test]
fn parentheses_around_two_groups_are_not_redundant() {
    let expression = "((a = :five) OR (a = :six))";
    assert!(Condition::parse("ConditionExpression", expression, &mut known(values())).is_ok());
}

fn updated(expression: &str) -> Result<Json, AwsError> {
    let update = Update::parse(expression, &mut known(values()))?;
    Ok(item_to_json(&applied(&update, &stored())?))
}

#[test]
fn updates_change_the_item_as_documented() {
    for (expression, attribute, expected) in [
        ("SET a = a + :five", "a", json!({ "N": "10" })),
        ("set a = a - :six", "a", json!({ "N": "-1" })),
        ("SET b = if_not_exists(b, :x)", "b", json!({ "S": "x" })),
        ("SET a = if_not_exists(a, :x)", "a", json!({ "N": "5" })),
        ("SET n = if_not_exists(n, :two) + :five", "n", json!({ "N": "7" })),
        ("SET l = list_append(:list, :list)", "l", json!({ "L": [{ "S": "z" }, { "S": "z" }] })),
        ("SET b = phase, phase = :x", "b", json!({ "S": "OPEN" })),
        ("REMOVE a", "a", Json::Null),
        ("REMOVE unset", "unset", Json::Null),
        ("ADD a :five", "a", json!({ "N": "10" })),
        ("ADD fresh :five", "fresh", json!({ "N": "5" })),
        ("ADD tags :set", "tags", json!({ "SS": ["x", "y", "z"] })),
        ("DELETE tags :set", "tags", json!({ "SS": ["x"] })),
        ("DELETE tags :all", "tags", Json::Null),
        ("DELETE unset :all", "unset", Json::Null),
        (
            "SET parts[0].quantity = :six REMOVE parts[1]",
            "parts",
            json!({ "L": [{ "M": { "quantity": { "N": "6" } } }] }),
        ),
        (
            "SET parts[9] = :x REMOVE parts[2], parts[0]",
            "parts",
            json!({ "L": [{ "S": "two" }, { "S": "x" }] }),
        ),
        (
            "SET parts[9] = :x, parts[7] = :two REMOVE parts[0], parts[1]",
            "parts",
            json!({ "L": [{ "N": "2" }, { "S": "x" }] }),
        ),
    ] {
        assert_eq!(updated(expression).unwrap()[attribute], expected, "{expression}");
    }
}

#[test]
fn an_invalid_update_is_an_error_with_its_reason() {
    for (expression, reason) in [
        ("", "The expression can not be empty;"),
        ("a = :x", "Syntax error; token: \"a\""),
        ("SET a = :x SET b = :x", "The \"SET\" section can only be used once"),
        ("SET a = unset", "refers to an attribute that does not exist in the item"),
        ("SET a = phase + :five", "An operand in the update expression has an incorrect data type"),
        ("SET a = a + :x", "Incorrect operand type for operator or function"),
        ("SET a = list_append(a, :x)", "Incorrect operand type for operator or function"),
        ("SET unset.b = :x", "The document path provided in the update expression is invalid"),
        ("SET a.b = :x", "The document path provided in the update expression is invalid"),
        ("SET a = :x REMOVE a", "Two document paths overlap with each other"),
        ("SET parts.a = :x REMOVE parts[0]", "Two document paths conflict with each other"),
        ("ADD phase :five", "An operand in the update expression has an incorrect data type"),
        ("ADD a :x", "Incorrect operand type for operator or function; operator: ADD"),
        ("DELETE a :five", "Incorrect operand type for operator or function; operator: DELETE"),
        ("SET ttl = :x", "Attribute name is a reserved keyword; reserved keyword: ttl"),
        ("REMOVE a.items[0]", "reserved keyword: items"),
        ("SET a = other(:x)", "Invalid function name; function: other"),
    ] {
        let message = updated(expression).unwrap_err().message;
        assert!(message.contains(reason), "{expression}: {message}");
    }
}

#[test]
fn a_projection_has_only_its_paths() {
    for (expression, expected) in [
        ("a", json!({ "a": { "N": "5" } })),
        ("unset", json!({})),
        (
            "parts[1], parts[0].quantity",
            json!({
                "parts": { "L": [{ "M": { "quantity": { "N": "2" } } }, { "S": "two" }] }
            }),
        ),
        ("parts[1]", json!({ "parts": { "L": [{ "S": "two" }] } })),
        ("parts[5]", json!({})),
        ("#dot, #s", json!({ "a.b": { "BOOL": true }, "phase": { "S": "OPEN" } })),
    ] {
        let projection = Projection::parse(expression, &mut known(json!({}))).unwrap();
        assert_eq!(item_to_json(&projection.of(&stored())), expected, "{expression}");
    }
    let overlapping = Projection::parse("parts, parts[0]", &mut known(json!({})));
    assert!(overlapping.unwrap_err().message.contains("overlap"));
    let reserved = Projection::parse("a, status", &mut known(json!({}))).unwrap_err();
    assert!(reserved.message.contains("reserved keyword: status"), "{}", reserved.message);
}

#[test]
fn a_condition_on_a_key_is_a_partition_and_a_range() {
    let parse = |expression: &str| {
        KeyCondition::parse(expression, &mut known(values()), "a", Some("phase"))
    };
    let sorted = |expression: &str, text: &str| {
        let sort = parse(expression).unwrap().sort.unwrap();
        sort.holds(&crate::services::dynamodb::value::Value::S(text.to_owned()))
    };

    assert!(parse("a = :five").unwrap().sort.is_none());
    assert!(sorted("a = :five AND begins_with(phase, :op)", "OPEN"));
    assert!(!sorted("phase > :x AND #a = :five", "OPEN"));
    assert!(sorted("a = :five AND phase BETWEEN :op AND :x", "OPEN"));
    for (expression, reason) in [
        ("phase = :x", "Query condition missed key schema element: a"),
        ("a = :five AND another = :x", "Query condition missed key schema element: phase"),
        ("a = :five AND timestamp = :x", "reserved keyword: timestamp"),
        ("a < :five", "Query key condition not supported"),
        ("a = :five AND a = :six", "must only contain one condition per key"),
        ("a = :five OR a = :six", "Invalid operator used in KeyConditionExpression: OR"),
        ("a = :five AND phase <> :x", "Invalid operator used in KeyConditionExpression: <>"),
    ] {
        let message = parse(expression).unwrap_err().message;
        assert!(message.contains(reason), "{expression}: {message}");
    }
}

#[test]
fn unused_and_unknown_placeholders_are_errors() {
    let mut known = known(json!({ ":x": { "S": "x" } }));
    Condition::parse("ConditionExpression", "#a = :x", &mut known).unwrap();
    let message = known.check_all_used().unwrap_err().message;
    assert_eq!(
        message,
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#dot, #s}"
    );

    let values = json!({ ":x": { "S": "x" } });
    let without = Placeholders::of(None, Some(&values), false).unwrap_err().message;
    assert_eq!(without, "ExpressionAttributeValues can only be specified when using expressions");
    let unsigned = json!({ "x": { "S": "x" } });
    assert!(Placeholders::of(None, Some(&unsigned), true).is_err());
}

#[test]
fn a_condition_that_is_nested_too_deeply_is_an_error() {
    let nested = |depth: usize| format!("{}a = :five{}", "NOT (".repeat(depth), ")".repeat(depth));
    for (expression, is_read) in [
        (nested(16), true),
        (nested(17), false),
        ("(".repeat(4_000), false),
        (format!("{}a = :five", "NOT ".repeat(1_000)), false),
    ] {
        let read = Condition::parse("ConditionExpression", &expression, &mut known(values()));
        assert_eq!(read.is_ok(), is_read, "{read:?}");
    }
}

#[test]
fn an_update_that_is_nested_too_deeply_is_an_error() {
    let nested = |open: &str, depth: usize| {
        format!("SET a = {}:five{}", open.repeat(depth), ")".repeat(depth))
    };
    let invalid = Some((400, "ValidationException"));
    for (expression, expected) in [
        (nested("(", 32), None),
        (nested("(", 33), invalid),
        (nested("if_not_exists(a, ", 32), None),
        (nested("if_not_exists(a, ", 33), invalid),
        (format!("SET a = {}", "(".repeat(4_000)), invalid),
    ] {
        let read = Update::parse(&expression, &mut known(values()));
        let error = read.err().map(|error| (error.status, error.code));
        assert_eq!(error, expected, "{expression}");
    }
}
