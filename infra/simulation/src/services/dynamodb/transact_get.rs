//! `TransactGetItems`: a consistent view of several items.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::capacity::{Consumed, Consumer, HalfUnits, ReturnConsumed, Use};
use super::key::Key;
use super::reads::{part, projection};
use super::transactions::{BYTES_MAX, Reason, cancelled, check_count, two_on_one};
use super::value::{item_bytes, item_of};
use super::writes::check_access;
use super::{Call, DynamoDb};
use crate::services::wire::{AwsError, parsed};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TransactGetItems {
    transact_items: Vec<TransactGet>,
    #[serde(default)]
    return_consumed_capacity: ReturnConsumed,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TransactGet {
    get: Get,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Get {
    table_name: String,
    key: Json,
    projection_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
}

impl DynamoDb {
    pub(super) fn transact_get_items(
        &mut self,
        body: &[u8],
        call: &mut Call<'_>,
    ) -> Result<Json, AwsError> {
        let request: TransactGetItems = parsed(body)?;
        check_count(request.transact_items.len())?;
        let mut wanted = Vec::new();
        let mut reasons = Vec::new();
        for TransactGet { get } in &request.transact_items {
            check_access(call, "GetItem", &get.table_name)?;
            let names = get.expression_attribute_names.as_ref();
            let projection = projection(get.projection_expression.as_deref(), names)?;
            let schema = &self.table(&get.table_name)?.definition.key;
            match Key::given(schema, &item_of(&get.key)?) {
                Ok(key) => {
                    reasons.push(self.not_free(&get.table_name, &key, Use::Read, call.now)?);
                    wanted.push((get.table_name.as_str(), key, projection));
                }
                Err(error) => reasons.push(Some(Reason::invalid(error))),
            }
        }
        if reasons.iter().any(Option::is_some) {
            return Err(cancelled(&reasons));
        }
        let places: BTreeSet<(&str, &Key)> =
            wanted.iter().map(|(table, key, _)| (*table, key)).collect();
        if places.len() < wanted.len() {
            return Err(two_on_one());
        }
        let (mut responses, mut consumed, mut bytes) = (Vec::new(), Consumed::default(), 0);
        for (name, key, projection) in wanted {
            let table = self.table_mut(name)?;
            let item = table.item(&key).cloned();
            let size = item.as_ref().map_or(0, |item| item_bytes(item));
            bytes += size;
            let units = HalfUnits(2 * HalfUnits::read(size, true).0);
            table.charge(0, Use::Read, &key.partition, call.now, units);
            consumed.add(name, Consumer::Table, units);
            let shown = item.map(|item| part(&item, projection.as_ref()));
            // Without any of the wanted attributes, an item is like one that is not there.
            let shown = shown.filter(|item| *item != json!({}));
            responses.push(shown.map_or_else(|| json!({}), |item| json!({ "Item": item })));
        }
        if bytes > BYTES_MAX {
            return Err(AwsError::invalid(
                "Collection size exceeded: a transaction has at most 4 MB of items",
            ));
        }
        let mut answer = json!({ "Responses": responses });
        if let Some(consumed) = consumed.of_transaction(request.return_consumed_capacity, Use::Read)
        {
            answer["ConsumedCapacity"] = consumed;
        }
        Ok(answer)
    }
}
