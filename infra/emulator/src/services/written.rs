//! The items that a call writes to.

use serde_json::Value;

use super::physical_names::Names;
use crate::activity::{KeyOfWrite, key_text};

/// The items that a call writes to, in the order of its body.
pub(super) fn written_keys(names: &Names, operation: &str, input: &Value) -> Vec<KeyOfWrite> {
    match operation {
        "PutItem" | "UpdateItem" => vec![written_key(names, input, false)],
        "DeleteItem" => vec![written_key(names, input, true)],
        "TransactWriteItems" => {
            let items = input["TransactItems"].as_array().into_iter().flatten();
            let actions = items.filter_map(|item| item.as_object()?.iter().next());
            actions.map(|(kind, action)| written_key(names, action, kind == "Delete")).collect()
        }
        "BatchWriteItem" => {
            let tables = input["RequestItems"].as_object().into_iter().flatten();
            let requests = tables.flat_map(|(table, requests)| {
                let requests = requests.as_array().into_iter().flatten();
                requests.map(move |request| (table.as_str(), request))
            });
            let key = |(table, request): (&str, &Value)| {
                let deletes = request["DeleteRequest"].is_object();
                let part = if deletes { &request["DeleteRequest"] } else { &request["PutRequest"] };
                key_in(names, table, part, deletes)
            };
            requests.map(key).collect()
        }
        _ => Vec::new(),
    }
}

fn written_key(names: &Names, action: &Value, deletes: bool) -> KeyOfWrite {
    key_in(names, action["TableName"].as_str().unwrap_or_default(), action, deletes)
}

/// The key in an action: of a put its item has it.
fn key_in(names: &Names, called: &str, action: &Value, deletes: bool) -> KeyOfWrite {
    let table = names.table_called(called).unwrap_or(called).to_owned();
    let key = match (action["Key"].as_object(), names.table(&table)) {
        (Some(key), _) => key_text(key.iter().map(|(name, value)| (name.as_str(), value))),
        (None, Some(known)) => {
            let attributes = [Some(&known.partition_key), known.sort_key.as_ref()];
            let attributes = attributes.into_iter().flatten();
            key_text(attributes.map(|name| (name.as_str(), &action["Item"][name.as_str()])))
        }
        (None, None) => String::new(),
    };
    KeyOfWrite { table, key, deletes }
}
