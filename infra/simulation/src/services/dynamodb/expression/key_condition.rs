//! The conditions of a query on the key.

use std::cmp::Ordering;

use super::condition::{Comparison, Condition, Operand, read};
use super::placeholders::Placeholders;
use crate::services::dynamodb::value::Value;
use crate::services::wire::AwsError;

/// A `KeyConditionExpression`: a partition, and a condition on the sort key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeyCondition {
    pub(crate) partition: Value,
    pub(crate) sort: Option<SortCondition>,
}

/// A condition on the sort key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SortCondition {
    Compare(Comparison, Value),
    Between(Value, Value),
    BeginsWith(Value),
}

impl SortCondition {
    pub(crate) fn holds(&self, sort: &Value) -> bool {
        match self {
            Self::Compare(comparison, bound) => {
                sort.order(bound).is_some_and(|order| match comparison {
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::AtMost => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::AtLeast => order.is_ge(),
                })
            }
            Self::Between(lower, upper) => {
                sort.order(lower).is_some_and(Ordering::is_ge)
                    && sort.order(upper).is_some_and(Ordering::is_le)
            }
            Self::BeginsWith(beginning) => match (sort, beginning) {
                (Value::S(text), Value::S(beginning)) => text.starts_with(beginning),
                (Value::B(bytes), Value::B(beginning)) => bytes.starts_with(beginning),
                _ => false,
            },
        }
    }

    /// The values that the sort key is compared with.
    pub(crate) fn values(&self) -> Vec<&Value> {
        match self {
            Self::Compare(_, value) | Self::BeginsWith(value) => vec![value],
            Self::Between(lower, upper) => vec![lower, upper],
        }
    }
}

impl KeyCondition {
    /// Reads the expression for a key of these attributes.
    pub(crate) fn parse(
        expression: &str,
        known: &mut Placeholders,
        partition_attribute: &str,
        sort_attribute: Option<&str>,
    ) -> Result<Self, AwsError> {
        let invalid =
            |reason: &str| AwsError::invalid(format!("Invalid KeyConditionExpression: {reason}"));
        let condition = read(expression, known).map_err(|reason| invalid(&reason))?;
        let parts = match condition {
            Condition::And(one, two) => vec![*one, *two],
            one => vec![one],
        };
        let (mut partition, mut sort) = (None, None);
        for part in parts {
            let (attribute, condition) = on_attribute(part).map_err(&invalid)?;
            let (is_partition, is_sort) =
                (attribute == partition_attribute, Some(attribute.as_str()) == sort_attribute);
            if (is_partition && partition.is_some()) || (is_sort && sort.is_some()) {
                return Err(invalid(
                    "KeyConditionExpressions must only contain one condition per key",
                ));
            }
            match condition {
                SortCondition::Compare(Comparison::Equal, value) if is_partition => {
                    partition = Some(value);
                }
                _ if is_partition => {
                    return Err(AwsError::invalid("Query key condition not supported"));
                }
                condition if is_sort => sort = Some(condition),
                _ => return Err(missed(partition_attribute, sort_attribute, partition.as_ref())),
            }
        }
        let partition =
            partition.ok_or_else(|| missed(partition_attribute, sort_attribute, None))?;
        Ok(Self { partition, sort })
    }
}

fn missed(partition: &str, sort: Option<&str>, found: Option<&Value>) -> AwsError {
    let missed = match (found, sort) {
        (Some(_), Some(sort)) => sort,
        _ => partition,
    };
    AwsError::invalid(format!("Query condition missed key schema element: {missed}"))
}

/// The attribute of a condition, and the condition on it.
fn on_attribute(condition: Condition) -> Result<(String, SortCondition), &'static str> {
    const NESTED: &str = "KeyConditionExpressions cannot have conditions on nested attributes";
    let attribute = |operand: Operand| match operand {
        Operand::Path(path) if path.steps.is_empty() => Ok(path.attribute),
        Operand::Path(_) => Err(NESTED),
        _ => Err("Invalid operand in KeyConditionExpression"),
    };
    let value = |operand: Operand| match operand {
        Operand::Value(value) => Ok(value),
        _ => Err("Invalid operator used in KeyConditionExpression: attribute as an operand"),
    };
    match condition {
        Condition::Compare(Comparison::NotEqual, ..) => {
            Err("Invalid operator used in KeyConditionExpression: <>")
        }
        Condition::Compare(comparison, one @ Operand::Value(_), two) => {
            let turned = match comparison {
                Comparison::Less => Comparison::Greater,
                Comparison::AtMost => Comparison::AtLeast,
                Comparison::Greater => Comparison::Less,
                Comparison::AtLeast => Comparison::AtMost,
                same => same,
            };
            Ok((attribute(two)?, SortCondition::Compare(turned, value(one)?)))
        }
        Condition::Compare(comparison, one, two) => {
            Ok((attribute(one)?, SortCondition::Compare(comparison, value(two)?)))
        }
        Condition::Between(one, lower, upper) => {
            Ok((attribute(one)?, SortCondition::Between(value(lower)?, value(upper)?)))
        }
        Condition::BeginsWith(one, two) => {
            Ok((attribute(one)?, SortCondition::BeginsWith(value(two)?)))
        }
        Condition::Or(..) => Err("Invalid operator used in KeyConditionExpression: OR"),
        Condition::Not(..) => Err("Invalid operator used in KeyConditionExpression: NOT"),
        Condition::In(..) => Err("Invalid operator used in KeyConditionExpression: IN"),
        Condition::And(..) => Err("Conditions can be of length 1 or 2 only"),
        Condition::Exists(_)
        | Condition::NotExists(_)
        | Condition::IsOfType(..)
        | Condition::Contains(..) => {
            Err("Invalid operator used in KeyConditionExpression: a function")
        }
    }
}
