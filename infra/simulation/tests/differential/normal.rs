//! The form in which responses of two engines are compared.

use serde_json::{Map, Value as Json};

/// The result of an operation: a response, or the type of the error with its details.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Done(Json),
    Failed { kind: String, message: String, details: Json },
}

impl Outcome {
    pub(crate) fn of(status: u16, body: &Json) -> Self {
        if status == 200 {
            return Self::Done(normal(body));
        }
        let kind = body["__type"].as_str().unwrap_or_default();
        let kind = kind.rsplit('#').next().unwrap_or_default().to_owned();
        let message = body.get("message").or_else(|| body.get("Message"));
        let message = message.and_then(Json::as_str).unwrap_or_default().to_owned();
        Self::Failed { kind, message, details: details(body) }
    }

    /// Whether two outcomes are the same. Sentences of errors are for people, and may differ.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Done(one), Self::Done(two)) => one == two,
            (
                Self::Failed { kind: one, details: with, .. },
                Self::Failed { kind: two, details: other, .. },
            ) => one == two && with == other,
            _ => false,
        }
    }
}

/// The item of a failed condition, and the reasons of a cancelled transaction.
fn details(body: &Json) -> Json {
    let item = body.get("Item").map(normal);
    let reasons = body.get("CancellationReasons").and_then(Json::as_array).map(|reasons| {
        let reasons = reasons.iter().map(|reason| {
            let mut reason = reason.clone();
            if let Some(reason) = reason.as_object_mut() {
                reason.remove("Message");
            }
            normal(&reason)
        });
        reasons.collect::<Vec<_>>()
    });
    Json::from_iter(
        [("Item", item), ("Reasons", reasons.map(Json::Array))]
            .map(|(name, value)| (name.to_owned(), value.unwrap_or_default())),
    )
}

/// JSON without nulls, with sorted sets.
pub(crate) fn normal(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let members = members.map(|(name, value)| {
                let mut value = normal(value);
                if let ("ConsumedCapacity", Some(tables)) = (name.as_str(), value.as_array_mut()) {
                    tables.sort_by_key(|table| table["TableName"].to_string());
                }
                if let ("SS" | "NS" | "BS", Some(set)) = (name.as_str(), value.as_array_mut()) {
                    set.sort_by_key(ToString::to_string);
                }
                (name.clone(), value)
            });
            Json::Object(members.collect::<Map<_, _>>())
        }
        Json::Array(values) => values.iter().map(normal).collect(),
        other => other.clone(),
    }
}

/// The items in the order of their texts.
pub(crate) fn sorted(mut items: Vec<Json>) -> Vec<Json> {
    items.sort_by_key(ToString::to_string);
    items
}
