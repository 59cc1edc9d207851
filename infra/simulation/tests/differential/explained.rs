//! The differences that are known, each with its reason.

use serde_json::Value as Json;

use super::generator::Operation;
use super::normal::Outcome;

/// A known difference of the embedded `DynamoDB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Explained {
    /// An update of an item that was not there has no old item. The embedded one returns the key.
    OldOfNewItem,
    /// Only texts, numbers and bytes have an order. A comparison with another value is an error of
    /// the request. For the embedded one, it does not hold.
    OrderOfOthers,
    /// A projection has its paths, and nothing else. The embedded one adds the key in a
    /// transaction.
    KeyInProjection,
    /// The bounds of `BETWEEN` in the wrong order are an error of the request. For the embedded
    /// one, the condition does not hold.
    BoundsInWrongOrder,
    /// A request with two errors reports one of them: a wrong item, a repeated token, or two
    /// actions on one item.
    TwoErrors,
    /// `UPDATED_NEW` and `UPDATED_OLD` have only the elements of a list that change. The embedded
    /// one returns the whole list.
    WholeList,
    /// A read of an index that asks for attributes, or a query that filters by attributes, which the index
    /// lacks is an error. For the embedded one the items do not have them.
    LackedByIndex,
}

/// The reason why two outcomes differ, if it is known.
pub(crate) fn explained(
    operation: &Operation,
    ours: &Outcome,
    theirs: &Outcome,
) -> Option<Explained> {
    let request = &operation.request;
    if operation.name == "UpdateItem"
        && request["ReturnValues"] == "ALL_OLD"
        && let (Outcome::Done(ours), Outcome::Done(theirs)) = (ours, theirs)
        && ours.get("Attributes").is_none()
        && theirs.get("Attributes") == Some(&super::normal::normal(&request["Key"]))
    {
        return Some(Explained::OldOfNewItem);
    }
    let returned = request["ReturnValues"].as_str().unwrap_or_default();
    let update = request["UpdateExpression"].as_str().unwrap_or_default();
    if returned.starts_with("UPDATED_")
        && update.contains('[')
        && let (Outcome::Done(ours), Outcome::Done(theirs)) = (ours, theirs)
        && without(ours, "Attributes") == without(theirs, "Attributes")
    {
        return Some(Explained::WholeList);
    }
    if let (Outcome::Failed { message, .. }, Outcome::Done(_)) = (ours, theirs)
        && message.contains(" does not project ")
    {
        return Some(Explained::LackedByIndex);
    }
    if let Outcome::Failed { message, .. } = ours
        && message.contains("Incorrect operand type for operator or function; operator: ")
    {
        return Some(Explained::OrderOfOthers);
    }
    if let Outcome::Failed { message, .. } = ours
        && message.contains("The BETWEEN operator requires upper bound to be greater")
    {
        return Some(Explained::BoundsInWrongOrder);
    }
    if let Outcome::Failed { message, .. } = theirs
        && message.contains("multiple operations on one item")
        && matches!(ours, Outcome::Failed { .. })
    {
        return Some(Explained::TwoErrors);
    }
    if let (Outcome::Failed { kind: ours, .. }, Outcome::Failed { kind: theirs, .. }) =
        (ours, theirs)
        && ours == "ValidationException"
        && theirs == "IdempotentParameterMismatchException"
    {
        return Some(Explained::TwoErrors);
    }
    if operation.name == "TransactGetItems"
        && let (Outcome::Done(ours), Outcome::Done(theirs)) = (ours, theirs)
        && *ours == without_keys(theirs, request)
    {
        return Some(Explained::KeyInProjection);
    }
    None
}

fn without(answer: &Json, member: &str) -> Json {
    let mut answer = answer.clone();
    if let Some(members) = answer.as_object_mut() {
        members.remove(member);
    }
    answer
}

/// The response of a transaction without the keys of items with a projection.
fn without_keys(answer: &Json, request: &Json) -> Json {
    let mut answer = answer.clone();
    let gets = request["TransactItems"].as_array().into_iter().flatten();
    for (place, get) in gets.enumerate() {
        if get["Get"].get("ProjectionExpression").is_some()
            && let Some(item) = answer["Responses"][place]["Item"].as_object_mut()
        {
            item.remove("pk");
            item.remove("sk");
        }
    }
    super::normal::normal(&answer)
}
