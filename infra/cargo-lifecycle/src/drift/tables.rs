//! Tables: the keys of tables and of the indexes that a function reads, the types of their
//! attributes, and the expiry of the library's items.

use std::collections::BTreeSet;

use sam_template::{AttributeType, Key, Table, Template};
use tooling::descriptions::{Description, TableKey};

use crate::codegen::names::logical_id;
use crate::codegen::{EXPIRING, EXPIRY};

pub(super) fn complaints(template: &Template, description: &Description) -> Vec<String> {
    let resources = &description.resources;
    let tables: BTreeSet<&String> =
        resources.tables.keys().chain(resources.indexes.keys()).collect();
    let mut complaints = Vec::new();
    for name in tables {
        let id = logical_id(name, "Table");
        let Some(table) = template.tables.get(&id) else {
            complaints.push(format!("table: {id} is missing"));
            continue;
        };
        let key = resources.key_of(name);
        if table.key != as_key(&key) {
            let found = spelled(&table.key.partition, table.key.sort.as_deref());
            let wanted = spelled(&key.partition, key.sort.as_deref());
            complaints.push(format!("table: {id} has the key {found}, but describes {wanted}"));
        }
        complaints.extend(not_texts(&id, table, &key));
        if EXPIRING.contains(&name.as_str()) && table.ttl_attribute.as_deref() != Some(EXPIRY) {
            complaints.push(format!(
                "table: {id} keeps expired items: TimeToLiveSpecification is not \
                 {{AttributeName: {EXPIRY}, Enabled: true}}"
            ));
        }
        for index in resources.indexes.get(name).into_iter().flatten() {
            let key = resources.key_of_index(name, index);
            let mut declared = table.indexes.iter();
            if !declared.any(|it| it.name == *index && it.key == as_key(&key)) {
                let wanted = spelled(&key.partition, key.sort.as_deref());
                complaints.push(format!("index: {id} has no {index} by {wanted}"));
            }
            complaints.extend(not_texts(&id, table, &key));
        }
    }
    complaints
}

fn as_key(key: &TableKey) -> Key {
    Key { partition: key.partition.clone(), sort: key.sort.clone() }
}

/// `pk`, or `pk and sk`
fn spelled(partition: &str, sort: Option<&str>) -> String {
    sort.map_or_else(|| partition.to_owned(), |sort| format!("{partition} and {sort}"))
}

/// The attributes of a key that the template declares with another type than the library writes.
fn not_texts(id: &str, table: &Table, key: &TableKey) -> Vec<String> {
    let attributes = [Some(&key.partition), key.sort.as_ref()].into_iter().flatten();
    let typed = attributes.filter_map(|name| Some((name, table.attributes.get(name)?)));
    let other = typed.filter(|(_, kind)| **kind != AttributeType::S);
    other
        .map(|(name, kind)| {
            format!("table: {id} has {name} of type {kind:?}, but keys are of type S")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    /// A table of visits whose key and index are fields of its records.
    const TEMPLATE: &str = "Transform: AWS::Serverless-2016-10-31
Resources:
  VisitsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: customerId, AttributeType: S}
        - {AttributeName: visitedAt, AttributeType: S}
        - {AttributeName: shop, AttributeType: S}
      KeySchema:
        - {AttributeName: customerId, KeyType: HASH}
        - {AttributeName: visitedAt, KeyType: RANGE}
      GlobalSecondaryIndexes:
        - IndexName: by_shop
          KeySchema: [{AttributeName: shop, KeyType: HASH}, {AttributeName: visitedAt, KeyType: RANGE}]
          Projection: {ProjectionType: ALL}
";

    fn description() -> Description {
        let mut description = crate::codegen::tests::description("endpoint", None);
        let own = json!({
            "tables": { "visits": [] },
            "indexes": { "visits": ["by_shop"] },
            "keys": { "visits": { "partition": "customerId", "sort": "visitedAt" } },
            "indexKeys": { "visits": { "by_shop": { "partition": "shop", "sort": "visitedAt" } } },
        });
        let resources = &mut description.resources;
        resources.tables = serde_json::from_value(own["tables"].clone()).unwrap();
        resources.indexes = serde_json::from_value(own["indexes"].clone()).unwrap();
        resources.keys = serde_json::from_value(own["keys"].clone()).unwrap();
        resources.index_keys = serde_json::from_value(own["indexKeys"].clone()).unwrap();
        description
    }

    #[test]
    fn a_key_of_other_attributes_and_a_number_as_key_are_found() {
        let found = |template: &str| {
            complaints(&Template::parse(template, &BTreeMap::new()).unwrap(), &description())
        };
        assert_eq!(found(TEMPLATE), Vec::<String>::new());
        for (right, wrong, expected) in [
            (
                "        - {AttributeName: visitedAt, KeyType: RANGE}\n",
                "",
                "table: VisitsTable has the key customerId, but describes customerId and visitedAt",
            ),
            (
                "- {AttributeName: customerId, KeyType: HASH}",
                "- {AttributeName: shop, KeyType: HASH}",
                "table: VisitsTable has the key shop and visitedAt, but describes customerId and \
                 visitedAt",
            ),
            (
                "[{AttributeName: shop, KeyType: HASH}",
                "[{AttributeName: customerId, KeyType: HASH}",
                "index: VisitsTable has no by_shop by shop and visitedAt",
            ),
            (
                "AttributeName: customerId, AttributeType: S",
                "AttributeName: customerId, AttributeType: N",
                "table: VisitsTable has customerId of type N, but keys are of type S",
            ),
        ] {
            assert!(TEMPLATE.contains(right), "{right}");
            assert_eq!(found(&TEMPLATE.replacen(right, wrong, 1)), [expected]);
        }
    }

    #[test]
    fn a_sort_key_that_the_code_does_not_declare_is_found_and_a_missing_table_too() {
        let mut description = description();
        description.resources.keys.clear();
        description.resources.index_keys.clear();
        let template = Template::parse(TEMPLATE, &BTreeMap::new()).unwrap();
        assert_eq!(
            complaints(&template, &description),
            [
                "table: VisitsTable has the key customerId and visitedAt, but describes pk",
                "index: VisitsTable has no by_shop by by_shop_pk and by_shop_sk",
            ]
        );
        let other = TEMPLATE.replace("VisitsTable", "VisitTable");
        let template = Template::parse(&other, &BTreeMap::new()).unwrap();
        assert_eq!(complaints(&template, &description), ["table: VisitsTable is missing"]);
    }
}
