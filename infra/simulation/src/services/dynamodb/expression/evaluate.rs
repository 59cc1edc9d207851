//! Whether a condition holds on an item.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::condition::{Comparison, Condition, Operand};
use super::path::Path;
use crate::services::dynamodb::number::Number;
use crate::services::dynamodb::value::{Item, Value};

/// Whether the condition holds. An item that does not exist has no attributes.
pub(crate) fn holds(condition: &Condition, item: &Item) -> bool {
    match condition {
        Condition::Compare(comparison, one, two) => {
            compares(*comparison, resolved(one, item).as_deref(), resolved(two, item).as_deref())
        }
        Condition::Between(operand, lower, upper) => {
            let operand = resolved(operand, item);
            let is = |comparison, bound| {
                compares(comparison, operand.as_deref(), resolved(bound, item).as_deref())
            };
            is(Comparison::AtLeast, lower) && is(Comparison::AtMost, upper)
        }
        Condition::In(operand, others) => {
            let operand = resolved(operand, item);
            let equals = |other| {
                let other = resolved(other, item);
                compares(Comparison::Equal, operand.as_deref(), other.as_deref())
            };
            others.iter().any(equals)
        }
        Condition::Exists(path) => path.find(item).is_some(),
        Condition::NotExists(path) => path.find(item).is_none(),
        Condition::IsOfType(path, tag) => path.find(item).is_some_and(|value| value.tag() == tag),
        Condition::BeginsWith(one, two) => {
            match (resolved(one, item).as_deref(), resolved(two, item).as_deref()) {
                (Some(Value::S(text)), Some(Value::S(beginning))) => text.starts_with(beginning),
                (Some(Value::B(bytes)), Some(Value::B(beginning))) => bytes.starts_with(beginning),
                _ => false,
            }
        }
        Condition::Contains(path, operand) => match (path.find(item), resolved(operand, item)) {
            (Some(value), Some(wanted)) => contains(value, &wanted),
            _ => false,
        },
        Condition::And(one, two) => holds(one, item) && holds(two, item),
        Condition::Or(one, two) => holds(one, item) || holds(two, item),
        Condition::Not(condition) => !holds(condition, item),
    }
}

fn resolved<'a>(operand: &'a Operand, item: &'a Item) -> Option<Cow<'a, Value>> {
    match operand {
        Operand::Path(path) => path.find(item).map(Cow::Borrowed),
        Operand::Value(value) => Some(Cow::Borrowed(value)),
        Operand::Size(path) => size(path, item).map(Cow::Owned),
    }
}

/// The length of a text (in UTF-16, as Java counts it), bytes, set, list or map. Other values have none.
fn size(path: &Path, item: &Item) -> Option<Value> {
    let size = match path.find(item)? {
        Value::S(text) => text.encode_utf16().count(),
        Value::B(bytes) => bytes.len(),
        Value::L(values) => values.len(),
        Value::M(item) => item.len(),
        Value::Ss(set) => set.len(),
        Value::Ns(set) => set.len(),
        Value::Bs(set) => set.len(),
        Value::N(_) | Value::Bool(_) | Value::Null => return None,
    };
    Number::parse(&size.to_string()).ok().map(Value::N)
}

fn compares(comparison: Comparison, one: Option<&Value>, two: Option<&Value>) -> bool {
    let (Some(one), Some(two)) = (one, two) else {
        // A value that is not there differs from every value.
        return comparison == Comparison::NotEqual && (one.is_some() || two.is_some());
    };
    match comparison {
        Comparison::Equal => one == two,
        Comparison::NotEqual => one != two,
        Comparison::Less => one.order(two) == Some(Ordering::Less),
        Comparison::AtMost => one.order(two).is_some_and(Ordering::is_le),
        Comparison::Greater => one.order(two) == Some(Ordering::Greater),
        Comparison::AtLeast => one.order(two).is_some_and(Ordering::is_ge),
    }
}

fn contains(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::S(text), Value::S(part)) => text.contains(part.as_str()),
        (Value::B(bytes), Value::B(part)) => {
            part.is_empty() || bytes.windows(part.len()).any(|window| window == part.as_slice())
        }
        (Value::Ss(set), Value::S(element)) => set.contains(element),
        (Value::Ns(set), Value::N(element)) => set.contains(element),
        (Value::Bs(set), Value::B(element)) => set.contains(element),
        (Value::L(values), element) => values.contains(element),
        _ => false,
    }
}
