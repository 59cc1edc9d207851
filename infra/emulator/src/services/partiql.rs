//! The IAM actions of `PartiQL` statements.

use serde_json::Value;

/// The actions of statements that write.
pub(super) const WRITES: [&str; 3] =
    ["dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"];

/// The statements by their first keyword, with the action and the keyword before the table.
const STATEMENTS: [(&str, &str, &str); 4] = [
    ("DELETE", "dynamodb:PartiQLDelete", "FROM"),
    ("INSERT", "dynamodb:PartiQLInsert", "INTO"),
    ("SELECT", "dynamodb:PartiQLSelect", "FROM"),
    ("UPDATE", "dynamodb:PartiQLUpdate", "UPDATE"),
];

/// The statements of a call; `None` for an operation without any.
pub(super) fn statements<'a>(
    operation: &str,
    input: &'a Value,
) -> Option<impl Iterator<Item = &'a str>> {
    let several = |name: &str| input[name].as_array().map_or(&[][..], Vec::as_slice);
    let statements = match operation {
        "ExecuteStatement" => std::slice::from_ref(input),
        "BatchExecuteStatement" => several("Statements"),
        "ExecuteTransaction" => several("TransactStatements"),
        _ => return None,
    };
    Some(statements.iter().map(|it| it["Statement"].as_str().unwrap_or_default()))
}

/// The action of a statement, and the table and the index that it names. A condition of a
/// transaction, `EXISTS(SELECT …)`, has those of its query.
pub(super) fn parts(statement: &str) -> Option<(&'static str, &str, Option<&str>)> {
    let statement = query_of_condition(statement).unwrap_or(statement);
    let mut words = statement.split_whitespace();
    let is = |word: &str, keyword: &str| word.eq_ignore_ascii_case(keyword);
    let first = words.clone().next()?;
    let &(_, action, before) = STATEMENTS.iter().find(|(keyword, ..)| is(first, keyword))?;
    let keyword = words.find(|word| is(word, before))?;
    // Both are parts of the statement: the rest begins behind the keyword.
    let (_, rest) = statement.split_at(keyword.as_ptr().addr() - statement.as_ptr().addr());
    let (table, rest) = name(rest[keyword.len()..].trim_start())?;
    let index = rest.strip_prefix('.').and_then(name).map(|(index, _)| index);
    Some((action, table, index))
}

fn query_of_condition(statement: &str) -> Option<&str> {
    let (word, rest) = statement.trim_start().split_at_checked("EXISTS".len())?;
    let query = rest.trim_start().strip_prefix('(');
    query.filter(|_| word.eq_ignore_ascii_case("EXISTS"))
}

/// The name at the start of a text, with or without quotes, and the rest of the text.
fn name(text: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.split_once('"');
    }
    let is_part = |character: char| character.is_alphanumeric() || "_-".contains(character);
    let end = text.find(|character| !is_part(character)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::services::call::tests::call_by;
    use crate::services::call::{Access, Resource};

    #[test]
    fn each_statement_of_a_batch_or_transaction_is_an_access_to_its_table() {
        let statements = json!([
            {"Statement": "DELETE FROM \"local-UsersTable\" WHERE pk = 'a'"},
            {"Statement": "UPDATE \"local-OrdersTable\" SET a = 1 WHERE pk = 'a'"},
        ]);
        let expected = [("PartiQLDelete", "UsersTable"), ("PartiQLUpdate", "OrdersTable")];
        let expected = expected.map(|(action, table)| Access {
            action: format!("dynamodb:{action}"),
            resource: Resource::Table(table.to_owned()),
        });
        for (operation, member) in
            [("BatchExecuteStatement", "Statements"), ("ExecuteTransaction", "TransactStatements")]
        {
            let body = json!({ member: statements }).to_string();
            let call = call_by("GetUserFunction", operation, &body);
            assert_eq!(*call.accesses, expected, "{operation}");
            assert!(call.is_commit(), "{operation}");
        }
    }

    #[test]
    fn a_statement_has_its_action_and_its_table_or_index() {
        for (statement, action, named) in [
            ("SELECT * FROM \"loans\".\"by-user\"", "PartiQLSelect", ("loans", Some("by-user"))),
            ("SELECT * FROM loans.by-user;", "PartiQLSelect", ("loans", Some("by-user"))),
            ("insert into \"loans\" value {}", "PartiQLInsert", ("loans", None)),
            ("INSERT INTO \"loans\"VALUE {}", "PartiQLInsert", ("loans", None)),
            ("UPDATE \"loans\"SET a = 1", "PartiQLUpdate", ("loans", None)),
            ("DELETE\nFROM \"loans\" WHERE", "PartiQLDelete", ("loans", None)),
            ("SELECT * FROM \"loans\";", "PartiQLSelect", ("loans", None)),
            ("SELECT a FROM loans;", "PartiQLSelect", ("loans", None)),
            ("EXISTS(SELECT * FROM \"loans\" WHERE a = 1)", "PartiQLSelect", ("loans", None)),
            ("exists (\n  SELECT * FROM loans)", "PartiQLSelect", ("loans", None)),
        ] {
            let expected = (format!("dynamodb:{action}"), named.0, named.1);
            let (action, table, index) = parts(statement).unwrap();
            assert_eq!((action.to_owned(), table, index), expected, "{statement}");
        }
        for statement in ["", "SELECT a", "SELECT a FROM", "SELECT a FROM ;", "EXISTS(SELECT 1)"] {
            assert_eq!(parts(statement), None, "{statement}");
        }
    }
}
