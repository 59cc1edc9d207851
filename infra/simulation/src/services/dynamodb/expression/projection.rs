//! Parts of an item.

use std::collections::BTreeMap;

use super::path::{Path, Step, check_apart};
use super::placeholders::Placeholders;
use super::tokens::{Reason, Tokens};
use crate::services::dynamodb::value::{Item, Value};
use crate::services::wire::AwsError;

/// The paths of a `ProjectionExpression`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Projection(Vec<Path>);

impl Projection {
    pub(crate) fn parse(expression: &str, known: &mut Placeholders) -> Result<Self, AwsError> {
        read(expression, known)
            .map(Self)
            .map_err(|reason| AwsError::invalid(format!("Invalid ProjectionExpression: {reason}")))
    }

    pub(crate) fn of(&self, item: &Item) -> Item {
        projected(&self.0, item)
    }

    /// The attributes of the paths.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|path| path.attribute.as_str())
    }
}

fn read(expression: &str, known: &mut Placeholders) -> Result<Vec<Path>, Reason> {
    let mut tokens = Tokens::of(expression)?;
    let mut paths = vec![Path::read(&mut tokens, known)?];
    while tokens.take(",") {
        paths.push(Path::read(&mut tokens, known)?);
    }
    if !tokens.is_at_end() {
        return Err(tokens.unexpected());
    }
    check_apart(&paths)?;
    Ok(paths)
}

/// The steps below a value that are wanted; without any, the whole value is.
#[derive(Default)]
struct Wanted(BTreeMap<Step, Wanted>);

/// The values at the paths, in their maps and lists. A list has only its wanted elements.
pub(crate) fn projected(paths: &[Path], item: &Item) -> Item {
    let mut wanted = Wanted::default();
    for path in paths {
        let mut place = &mut wanted;
        for step in path.steps_with_attribute() {
            place = place.0.entry(step).or_default();
        }
    }
    members(&wanted, item)
}

fn members(wanted: &Wanted, item: &Item) -> Item {
    let found = wanted.0.iter().filter_map(|(step, below)| match step {
        Step::Member(name) => Some((name.clone(), part(below, item.get(name)?)?)),
        Step::Element(_) => None,
    });
    found.collect()
}

fn part(wanted: &Wanted, value: &Value) -> Option<Value> {
    if wanted.0.is_empty() {
        return Some(value.clone());
    }
    match value {
        Value::M(item) => {
            let found = members(wanted, item);
            (!found.is_empty()).then_some(Value::M(found))
        }
        Value::L(values) => {
            let found = wanted.0.iter().filter_map(|(step, below)| match step {
                Step::Element(index) => part(below, values.get(*index)?),
                Step::Member(_) => None,
            });
            let found: Vec<Value> = found.collect();
            (!found.is_empty()).then_some(Value::L(found))
        }
        _ => None,
    }
}
