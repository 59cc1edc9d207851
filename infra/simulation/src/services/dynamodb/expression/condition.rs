//! The grammar of conditions and filters.

use super::path::Path;
use super::placeholders::Placeholders;
use super::tokens::{Reason, Token, Tokens};
use crate::services::dynamodb::value::Value;
use crate::services::wire::AwsError;

/// The maximum number of operands of `IN`.
const IN_MAX: usize = 100;

/// A condition on an item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    Compare(Comparison, Operand, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    NotExists(Path),
    IsOfType(Path, String),
    BeginsWith(Operand, Operand),
    Contains(Path, Operand),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
}

/// A comparison of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Path(Path),
    Value(Value),
    Size(Path),
}

impl Condition {
    /// Reads an expression; `parameter` is its name in the request.
    pub(crate) fn parse(
        parameter: &str,
        expression: &str,
        known: &mut Placeholders,
    ) -> Result<Self, AwsError> {
        read(expression, known)
            .map_err(|reason| AwsError::invalid(format!("Invalid {parameter}: {reason}")))
    }

    /// The paths of the condition.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Compare(_, one, two) | Self::BeginsWith(one, two) => {
                one.path().into_iter().chain(two.path()).collect()
            }
            Self::Between(one, two, three) => {
                [one, two, three].into_iter().filter_map(Operand::path).collect()
            }
            Self::In(one, others) => {
                one.path().into_iter().chain(others.iter().filter_map(Operand::path)).collect()
            }
            Self::Exists(path) | Self::NotExists(path) | Self::IsOfType(path, _) => vec![path],
            Self::Contains(path, operand) => std::iter::once(path).chain(operand.path()).collect(),
            Self::And(one, two) | Self::Or(one, two) => {
                one.paths().into_iter().chain(two.paths()).collect()
            }
            Self::Not(condition) => condition.paths(),
        }
    }
}

impl Operand {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) | Self::Size(path) => Some(path),
            Self::Value(_) => None,
        }
    }
}

pub(super) fn read(expression: &str, known: &mut Placeholders) -> Result<Condition, Reason> {
    let mut tokens = Tokens::of(expression)?;
    let condition = disjunction(&mut tokens, known)?;
    if tokens.is_at_end() { Ok(condition) } else { Err(tokens.unexpected()) }
}

fn disjunction(tokens: &mut Tokens, known: &mut Placeholders) -> Result<Condition, Reason> {
    let mut condition = conjunction(tokens, known)?;
    while tokens.take_keyword("OR") {
        let other = conjunction(tokens, known)?;
        condition = Condition::Or(Box::new(condition), Box::new(other));
    }
    Ok(condition)
}

fn conjunction(tokens: &mut Tokens, known: &mut Placeholders) -> Result<Condition, Reason> {
    let mut condition = negation(tokens, known)?;
    while tokens.take_keyword("AND") {
        let other = negation(tokens, known)?;
        condition = Condition::And(Box::new(condition), Box::new(other));
    }
    Ok(condition)
}

fn negation(tokens: &mut Tokens, known: &mut Placeholders) -> Result<Condition, Reason> {
    if tokens.take_keyword("NOT") {
        let negated = tokens.nested(|tokens| negation(tokens, known))?;
        return Ok(Condition::Not(Box::new(negated)));
    }
    if !tokens.take("(") {
        return simple(tokens, known);
    }
    let end_of_inner = tokens.end_of_group();
    let condition = tokens.nested(|tokens| disjunction(tokens, known))?;
    if end_of_inner == Some(tokens.position()) {
        return Err("The expression has redundant parentheses;".to_owned());
    }
    tokens.expect(")")?;
    Ok(condition)
}

fn simple(tokens: &mut Tokens, known: &mut Placeholders) -> Result<Condition, Reason> {
    if let (Some(Token::Word(word)), Some(Token::Symbol("("))) =
        (tokens.peek(), tokens.peek_second())
    {
        let function = word.clone();
        if function != "size" {
            tokens.next();
            tokens.next();
            let condition = called(&function, tokens, known)?;
            tokens.expect(")")?;
            return Ok(condition);
        }
    }
    let one = operand(tokens, known)?;
    if tokens.take_keyword("BETWEEN") {
        let lower = operand(tokens, known)?;
        if !tokens.take_keyword("AND") {
            return Err(tokens.unexpected());
        }
        let upper = operand(tokens, known)?;
        check_bounds(&lower, &upper)?;
        return Ok(Condition::Between(one, lower, upper));
    }
    if tokens.take_keyword("IN") {
        tokens.expect("(")?;
        let mut others = vec![operand(tokens, known)?];
        while tokens.take(",") {
            others.push(operand(tokens, known)?);
        }
        tokens.expect(")")?;
        if others.len() > IN_MAX {
            return Err(format!(
                "The IN operator is provided with too many operands; number of operands: {}",
                others.len()
            ));
        }
        return Ok(Condition::In(one, others));
    }
    let (symbol, comparison) = match tokens.peek() {
        Some(Token::Symbol(symbol)) => {
            let comparison = comparison(symbol).ok_or_else(|| tokens.unexpected())?;
            (*symbol, comparison)
        }
        _ => return Err(tokens.unexpected()),
    };
    tokens.next();
    let two = operand(tokens, known)?;
    if one == two && matches!(one, Operand::Path(_)) {
        let path = one.path().map(ToString::to_string).unwrap_or_default();
        return Err(format!(
            "The first operand must be distinct from the remaining operands for this operator or \
             function; operator: {symbol}, first operand: {path}"
        ));
    }
    if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
        for side in [&one, &two] {
            if let Operand::Value(value) = side
                && !matches!(value, Value::S(_) | Value::N(_) | Value::B(_))
            {
                return Err(wrong_type("operator", symbol, value));
            }
        }
    }
    Ok(Condition::Compare(comparison, one, two))
}

fn comparison(symbol: &str) -> Option<Comparison> {
    Some(match symbol {
        "=" => Comparison::Equal,
        "<>" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::AtMost,
        ">" => Comparison::Greater,
        ">=" => Comparison::AtLeast,
        _ => return None,
    })
}

/// The condition of a function; its opening parenthesis is taken.
fn called(
    function: &str,
    tokens: &mut Tokens,
    known: &mut Placeholders,
) -> Result<Condition, Reason> {
    match function {
        "attribute_exists" => Ok(Condition::Exists(Path::read(tokens, known)?)),
        "attribute_not_exists" => Ok(Condition::NotExists(Path::read(tokens, known)?)),
        "attribute_type" => {
            let path = Path::read(tokens, known)?;
            tokens.expect(",")?;
            match operand(tokens, known)? {
                Operand::Value(Value::S(tag)) if is_tag(&tag) => Ok(Condition::IsOfType(path, tag)),
                Operand::Value(Value::S(tag)) => Err(format!(
                    "Invalid attribute type name found; type: {tag}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
                )),
                Operand::Value(value) => Err(wrong_type("operator or function", function, &value)),
                _ => Err("Incorrect operand type for operator or function; \
                          operator or function: attribute_type"
                    .to_owned()),
            }
        }
        "begins_with" => {
            let one = operand(tokens, known)?;
            tokens.expect(",")?;
            let two = operand(tokens, known)?;
            for side in [&one, &two] {
                if let Operand::Value(value) = side
                    && !matches!(value, Value::S(_) | Value::B(_))
                {
                    return Err(wrong_type("operator or function", function, value));
                }
            }
            Ok(Condition::BeginsWith(one, two))
        }
        "contains" => {
            let path = Path::read(tokens, known)?;
            tokens.expect(",")?;
            let operand = operand(tokens, known)?;
            if operand == Operand::Path(path.clone()) {
                return Err(format!(
                    "The first operand must be distinct from the remaining operands for this \
                     operator or function; operator: contains, first operand: {path}"
                ));
            }
            Ok(Condition::Contains(path, operand))
        }
        _ => Err(format!("Invalid function name; function: {function}")),
    }
}

fn operand(tokens: &mut Tokens, known: &mut Placeholders) -> Result<Operand, Reason> {
    match (tokens.peek().cloned(), tokens.peek_second()) {
        (Some(Token::Value(alias)), _) => {
            tokens.next();
            Ok(Operand::Value(known.value(&alias)?))
        }
        (Some(Token::Word(word)), Some(Token::Symbol("("))) if word == "size" => {
            tokens.next();
            tokens.next();
            let path = Path::read(tokens, known)?;
            tokens.expect(")")?;
            Ok(Operand::Size(path))
        }
        (Some(Token::Word(word)), Some(Token::Symbol("("))) => Err(format!(
            "The function is not allowed to be used this way in an expression; function: {word}"
        )),
        _ => Ok(Operand::Path(Path::read(tokens, known)?)),
    }
}

fn check_bounds(lower: &Operand, upper: &Operand) -> Result<(), Reason> {
    let (Operand::Value(lower), Operand::Value(upper)) = (lower, upper) else { return Ok(()) };
    let shown = |value: &Value| value.to_json().to_string();
    if lower.tag() != upper.tag() {
        return Err(format!(
            "The BETWEEN operator requires same data type for lower and upper bounds; \
             lower bound operand: {}, upper bound operand: {}",
            shown(lower),
            shown(upper)
        ));
    }
    match lower.order(upper) {
        None => Err(wrong_type("operator", "BETWEEN", lower)),
        Some(std::cmp::Ordering::Greater) => Err(format!(
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; \
             lower bound operand: {}, upper bound operand: {}",
            shown(lower),
            shown(upper)
        )),
        Some(_) => Ok(()),
    }
}

fn is_tag(text: &str) -> bool {
    ["B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"].contains(&text)
}

pub(super) fn wrong_type(kind: &str, name: &str, value: &Value) -> Reason {
    format!(
        "Incorrect operand type for operator or function; {kind}: {name}, operand type: {}",
        value.tag()
    )
}
