//! Paths into an item: `lines[0].quantity`.

use std::fmt;

use super::placeholders::Placeholders;
use super::reserved::is_reserved;
use super::tokens::{Reason, Token, Tokens};
use crate::services::dynamodb::value::{Item, Value};

/// The operators that are words.
const OPERATORS: [&str; 5] = ["AND", "BETWEEN", "IN", "NOT", "OR"];

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Member(String),
    Element(usize),
}

/// An attribute, and the way to a value inside of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    pub(crate) attribute: String,
    pub(super) steps: Vec<Step>,
}

impl Path {
    pub(super) fn read(tokens: &mut Tokens, known: &mut Placeholders) -> Result<Self, Reason> {
        let attribute = member(tokens, known)?;
        let mut steps = Vec::new();
        loop {
            if tokens.take(".") {
                steps.push(Step::Member(member(tokens, known)?));
            } else if tokens.take("[") {
                let Some(Token::Index(index)) = tokens.peek() else {
                    return Err(tokens.unexpected());
                };
                steps.push(Step::Element(*index));
                tokens.next();
                tokens.expect("]")?;
            } else {
                return Ok(Self { attribute, steps });
            }
        }
    }

    /// The value at the path.
    pub(super) fn find<'a>(&self, item: &'a Item) -> Option<&'a Value> {
        self.steps.iter().try_fold(item.get(&self.attribute)?, |value, step| match (value, step) {
            (Value::M(item), Step::Member(name)) => item.get(name),
            (Value::L(values), Step::Element(index)) => values.get(*index),
            _ => None,
        })
    }

    pub(super) fn steps_with_attribute(&self) -> Vec<Step> {
        let first = Step::Member(self.attribute.clone());
        std::iter::once(first).chain(self.steps.iter().cloned()).collect()
    }
}

/// `[lines, [0], quantity]`, as error messages show it.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.attribute)?;
        for step in &self.steps {
            match step {
                Step::Member(name) => write!(f, ", {name}")?,
                Step::Element(index) => write!(f, ", [{index}]")?,
            }
        }
        write!(f, "]")
    }
}

fn member(tokens: &mut Tokens, known: &mut Placeholders) -> Result<String, Reason> {
    match tokens.peek().cloned() {
        Some(Token::Word(word)) if is_reserved(&word) => {
            let is_operator = OPERATORS.iter().any(|operator| word.eq_ignore_ascii_case(operator));
            Err(if is_operator {
                tokens.unexpected()
            } else {
                format!("Attribute name is a reserved keyword; reserved keyword: {word}")
            })
        }
        Some(Token::Word(word)) => {
            tokens.next();
            Ok(word)
        }
        Some(Token::Name(alias)) => {
            tokens.next();
            known.name(&alias)
        }
        _ => Err(tokens.unexpected()),
    }
}

/// An error if a path is the beginning of another, or if two paths take one value for a map and
/// for a list.
pub(super) fn check_apart(paths: &[Path]) -> Result<(), Reason> {
    for (place, one) in paths.iter().enumerate() {
        for other in &paths[..place] {
            let (first, second) = (other.steps_with_attribute(), one.steps_with_attribute());
            let differ = first.iter().zip(&second).find(|(one, two)| one != two);
            let verb = match differ {
                None => "overlap",
                Some((Step::Member(_), Step::Element(_)) | (Step::Element(_), Step::Member(_))) => {
                    "conflict"
                }
                Some(_) => continue,
            };
            return Err(format!(
                "Two document paths {verb} with each other; must remove or rewrite one of these \
                 paths; path one: {other}, path two: {one}"
            ));
        }
    }
    Ok(())
}
