//! The IAM actions of `PartiQL` statements.

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

/// The action of a statement, and the table and the index that it names.
pub(super) fn parts(statement: &str) -> Option<(&'static str, &str, Option<&str>)> {
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
    use super::*;

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
