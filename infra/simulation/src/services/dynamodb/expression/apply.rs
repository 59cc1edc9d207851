//! The item that an update makes.

use super::path::{Path, Step};
use super::update::{Assigned, Update};
use crate::services::dynamodb::value::{Item, Value};
use crate::services::wire::AwsError;

/// The item after the update. All values are read from the item before it.
pub(crate) fn applied(update: &Update, before: &Item) -> Result<Item, AwsError> {
    let mut after = before.clone();
    let assigned = update.set.iter().map(|(path, assigned)| Ok((path, value(assigned, before)?)));
    let mut assigned: Vec<(&Path, Value)> = assigned.collect::<Result<_, AwsError>>()?;
    // Elements behind the end of a list are appended in the order of their indexes.
    assigned.sort_by_key(|(path, _)| (*path).clone());
    for (path, value) in assigned {
        set(&mut after, path, value)?;
    }
    for (path, amount) in &update.add {
        let sum = match path.find(before) {
            None => amount.clone(),
            Some(stored) => added(stored, amount)?,
        };
        set(&mut after, path, sum)?;
    }
    let mut removed: Vec<&Path> = update.remove.iter().collect();
    for (path, elements) in &update.delete {
        let Some(stored) = path.find(before) else { continue };
        match without(stored, elements)? {
            Some(rest) => set(&mut after, path, rest)?,
            None => removed.push(path),
        }
    }
    // From the back, so that the indexes of a list keep their meaning.
    removed.sort();
    for path in removed.into_iter().rev() {
        // An index is of the list before the update: an appended element keeps its place.
        let is_there = path.find(before).is_some();
        remove(&mut after, path, is_there)?;
    }
    Ok(after)
}

fn wrong_operand() -> AwsError {
    AwsError::invalid("An operand in the update expression has an incorrect data type")
}

fn wrong_path() -> AwsError {
    AwsError::invalid("The document path provided in the update expression is invalid for update")
}

fn value(assigned: &Assigned, item: &Item) -> Result<Value, AwsError> {
    match assigned {
        Assigned::Path(path) => path.find(item).cloned().ok_or_else(|| {
            AwsError::invalid(
                "The provided expression refers to an attribute that does not exist in the item",
            )
        }),
        Assigned::Value(value) => Ok(value.clone()),
        Assigned::IfNotExists(path, otherwise) => match path.find(item) {
            Some(found) => Ok(found.clone()),
            None => value(otherwise, item),
        },
        Assigned::ListAppend(one, two) => match (value(one, item)?, value(two, item)?) {
            (Value::L(one), Value::L(two)) => Ok(Value::L(one.into_iter().chain(two).collect())),
            _ => Err(wrong_operand()),
        },
        Assigned::Plus(one, two) => match (value(one, item)?, value(two, item)?) {
            (Value::N(one), Value::N(two)) => Ok(Value::N(one.plus(two)?)),
            _ => Err(wrong_operand()),
        },
        Assigned::Minus(one, two) => match (value(one, item)?, value(two, item)?) {
            (Value::N(one), Value::N(two)) => Ok(Value::N(one.minus(two)?)),
            _ => Err(wrong_operand()),
        },
    }
}

fn added(stored: &Value, amount: &Value) -> Result<Value, AwsError> {
    match (stored, amount) {
        (Value::N(one), Value::N(two)) => Ok(Value::N(one.plus(*two)?)),
        (Value::Ss(one), Value::Ss(two)) => Ok(Value::Ss(one | two)),
        (Value::Ns(one), Value::Ns(two)) => Ok(Value::Ns(one.union(two).copied().collect())),
        (Value::Bs(one), Value::Bs(two)) => Ok(Value::Bs(one | two)),
        _ => Err(wrong_operand()),
    }
}

/// The rest of a set; none if it is empty.
fn without(stored: &Value, elements: &Value) -> Result<Option<Value>, AwsError> {
    Ok(match (stored, elements) {
        (Value::Ss(one), Value::Ss(two)) => {
            let rest = one - two;
            (!rest.is_empty()).then_some(Value::Ss(rest))
        }
        (Value::Ns(one), Value::Ns(two)) => {
            let rest: std::collections::BTreeSet<_> = one.difference(two).copied().collect();
            (!rest.is_empty()).then_some(Value::Ns(rest))
        }
        (Value::Bs(one), Value::Bs(two)) => {
            let rest = one - two;
            (!rest.is_empty()).then_some(Value::Bs(rest))
        }
        _ => return Err(wrong_operand()),
    })
}

/// The map or list that has the last step of a path of several steps.
fn parent<'a>(item: &'a mut Item, path: &Path) -> Option<&'a mut Value> {
    let (_, before_last) = path.steps.split_last()?;
    before_last.iter().try_fold(item.get_mut(&path.attribute)?, |value, step| match (value, step) {
        (Value::M(item), Step::Member(name)) => item.get_mut(name),
        (Value::L(values), Step::Element(index)) => values.get_mut(*index),
        _ => None,
    })
}

fn set(item: &mut Item, path: &Path, value: Value) -> Result<(), AwsError> {
    let Some(last) = path.steps.last() else {
        item.insert(path.attribute.clone(), value);
        return Ok(());
    };
    match (parent(item, path).ok_or_else(wrong_path)?, last) {
        (Value::M(item), Step::Member(name)) => drop(item.insert(name.clone(), value)),
        (Value::L(values), Step::Element(index)) => match values.get_mut(*index) {
            Some(element) => *element = value,
            None => values.push(value),
        },
        _ => return Err(wrong_path()),
    }
    Ok(())
}

/// Removes a value that is there; the map or list around it has to be there in any case.
fn remove(item: &mut Item, path: &Path, is_there: bool) -> Result<(), AwsError> {
    let Some(last) = path.steps.last() else {
        item.remove(&path.attribute);
        return Ok(());
    };
    match (parent(item, path).ok_or_else(wrong_path)?, last) {
        (Value::M(item), Step::Member(name)) => drop(item.remove(name)),
        (Value::L(values), Step::Element(index)) => {
            if is_there && *index < values.len() {
                values.remove(*index);
            }
        }
        _ => return Err(wrong_path()),
    }
    Ok(())
}
