//! The grammar of updates.

use super::condition::wrong_type;
use super::path::{Path, check_apart};
use super::placeholders::Placeholders;
use super::tokens::{Reason, Token, Tokens};
use crate::services::dynamodb::value::Value;
use crate::services::wire::AwsError;

/// An `UpdateExpression`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Update {
    pub(super) set: Vec<(Path, Assigned)>,
    pub(super) remove: Vec<Path>,
    pub(super) add: Vec<(Path, Value)>,
    pub(super) delete: Vec<(Path, Value)>,
}

/// The value that `SET` assigns.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Assigned {
    Path(Path),
    Value(Value),
    IfNotExists(Path, Box<Self>),
    ListAppend(Box<Self>, Box<Self>),
    Plus(Box<Self>, Box<Self>),
    Minus(Box<Self>, Box<Self>),
}

impl Update {
    pub(crate) fn parse(expression: &str, known: &mut Placeholders) -> Result<Self, AwsError> {
        read(expression, known)
            .map_err(|reason| AwsError::invalid(format!("Invalid UpdateExpression: {reason}")))
    }

    /// The paths that the update changes.
    pub(crate) fn paths(&self) -> Vec<Path> {
        let set = self.set.iter().map(|(path, _)| path);
        let others = self.add.iter().chain(&self.delete).map(|(path, _)| path);
        set.chain(&self.remove).chain(others).cloned().collect()
    }
}

fn read(expression: &str, known: &mut Placeholders) -> Result<Update, Reason> {
    let mut tokens = Tokens::of(expression)?;
    let mut update = Update::default();
    let mut clauses = Vec::new();
    while let Some(clause) =
        ["SET", "REMOVE", "ADD", "DELETE"].into_iter().find(|clause| tokens.is_keyword(clause))
    {
        tokens.next();
        if clauses.contains(&clause) {
            return Err(format!(
                "The \"{clause}\" section can only be used once in an update expression;"
            ));
        }
        clauses.push(clause);
        loop {
            let path = Path::read(&mut tokens, known)?;
            match clause {
                "SET" => {
                    tokens.expect("=")?;
                    let assigned = sum(&mut tokens, known)?;
                    update.set.push((path, assigned));
                }
                "REMOVE" => update.remove.push(path),
                _ => {
                    let value = operand(clause, &mut tokens, known)?;
                    let list = if clause == "ADD" { &mut update.add } else { &mut update.delete };
                    list.push((path, value));
                }
            }
            if !tokens.take(",") {
                break;
            }
        }
    }
    if !tokens.is_at_end() {
        return Err(tokens.unexpected());
    }
    check_apart(&update.paths())?;
    Ok(update)
}

/// The value of `ADD` or `DELETE`.
fn operand(clause: &str, tokens: &mut Tokens, known: &mut Placeholders) -> Result<Value, Reason> {
    let Some(Token::Value(alias)) = tokens.peek().cloned() else {
        return Err(tokens.unexpected());
    };
    tokens.next();
    let value = known.value(&alias)?;
    let is_set = matches!(value, Value::Ss(_) | Value::Ns(_) | Value::Bs(_));
    if is_set || (clause == "ADD" && matches!(value, Value::N(_))) {
        return Ok(value);
    }
    Err(format!(
        "Incorrect operand type for operator or function; operator: {clause}, operand type: {}, \
         typeSet: {}",
        type_name(&value),
        if clause == "ADD" { "ALLOWED_FOR_ADD_OPERAND" } else { "ALLOWED_FOR_DELETE_OPERAND" }
    ))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::S(_) => "STRING",
        Value::N(_) => "NUMBER",
        Value::B(_) => "BINARY",
        Value::Bool(_) => "BOOLEAN",
        Value::Null => "NULL",
        Value::L(_) => "LIST",
        Value::M(_) => "MAP",
        Value::Ss(_) => "STRING_SET",
        Value::Ns(_) => "NUMBER_SET",
        Value::Bs(_) => "BINARY_SET",
    }
}

fn sum(tokens: &mut Tokens, known: &mut Placeholders) -> Result<Assigned, Reason> {
    let one = term(tokens, known)?;
    let symbol = match tokens.peek() {
        Some(Token::Symbol(symbol @ ("+" | "-"))) => *symbol,
        _ => return Ok(one),
    };
    tokens.next();
    let two = term(tokens, known)?;
    for side in [&one, &two] {
        if let Assigned::Value(value) = side
            && !matches!(value, Value::N(_))
        {
            return Err(wrong_type("operator or function", symbol, value));
        }
    }
    let (one, two) = (Box::new(one), Box::new(two));
    Ok(if symbol == "+" { Assigned::Plus(one, two) } else { Assigned::Minus(one, two) })
}

fn term(tokens: &mut Tokens, known: &mut Placeholders) -> Result<Assigned, Reason> {
    if tokens.take("(") {
        let inner = tokens.nested(|tokens| sum(tokens, known))?;
        tokens.expect(")")?;
        return Ok(inner);
    }
    match (tokens.peek().cloned(), tokens.peek_second()) {
        (Some(Token::Value(alias)), _) => {
            tokens.next();
            Ok(Assigned::Value(known.value(&alias)?))
        }
        (Some(Token::Word(function)), Some(Token::Symbol("("))) => {
            tokens.next();
            tokens.next();
            let called = tokens.nested(|tokens| called(&function, tokens, known))?;
            tokens.expect(")")?;
            Ok(called)
        }
        _ => Ok(Assigned::Path(Path::read(tokens, known)?)),
    }
}

/// The value of a function; its opening parenthesis is taken.
fn called(
    function: &str,
    tokens: &mut Tokens,
    known: &mut Placeholders,
) -> Result<Assigned, Reason> {
    match function {
        "if_not_exists" => {
            let path = Path::read(tokens, known)?;
            tokens.expect(",")?;
            Ok(Assigned::IfNotExists(path, Box::new(term(tokens, known)?)))
        }
        "list_append" => {
            let one = term(tokens, known)?;
            tokens.expect(",")?;
            let two = term(tokens, known)?;
            for side in [&one, &two] {
                if let Assigned::Value(value) = side
                    && !matches!(value, Value::L(_))
                {
                    return Err(wrong_type("operator or function", function, value));
                }
            }
            Ok(Assigned::ListAppend(Box::new(one), Box::new(two)))
        }
        _ => Err(format!("Invalid function name; function: {function}")),
    }
}
