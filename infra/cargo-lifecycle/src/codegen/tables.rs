//! The tables that functions declare. A new one gets the usual settings; from then on they are
//! written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use tooling::Error;
use tooling::descriptions::TableKey;

use super::declared::Declared;
use super::document::{self, Document};
use super::names::{head, logical_id};

/// The text behind a table's logical id.
const TABLE: &str = ":\n    Type: AWS::DynamoDB::Table\n";

/// The library's tables, in whose items [`EXPIRY`] is the time from which `DynamoDB` may delete them.
pub(crate) const EXPIRING: [&str; 4] = ["api_keys", "ledger", "limits", "outbox"];
/// The attribute, in seconds since 1970.
pub(crate) const EXPIRY: &str = "expiresAt";

/// The parameter that decides on the protection from deletion.
const PROTECTION: &str = "\n  DeletionProtection:\n";

/// Adds the tables that the template does not have, behind the others. The first one is the last
/// resource.
///
/// # Errors
///
/// If the template has no section `Resources`.
pub(super) fn add_missing(template: &mut Document, all: &[Declared<'_>]) -> Result<(), Error> {
    let mut declared: BTreeMap<&str, (TableKey, BTreeMap<&str, TableKey>)> = BTreeMap::new();
    for resources in all.iter().map(|function| &function.description.resources) {
        for table in resources.tables.keys().chain(resources.indexes.keys()) {
            let new = || (resources.key_of(table), BTreeMap::new());
            let (_, indexes) = declared.entry(table).or_insert_with(new);
            for index in resources.indexes.get(table).into_iter().flatten() {
                indexes.insert(index, resources.key_of_index(table, index));
            }
        }
    }
    for (table, (key, indexes)) in declared {
        let id = logical_id(table, "Table");
        if template.has(&head(&id))? {
            continue;
        }
        let last = ids(template.text()).last().map(head);
        let is_protected = template.text().contains(PROTECTION);
        let block = block(
            &id,
            &New {
                key: &key,
                indexes: &indexes,
                has_stream: all.iter().any(|function| function.streamed() == Some(table)),
                expires: EXPIRING.contains(&table),
                is_protected,
            },
        );
        match last {
            Some(last) => template.add(&id, &last, &block)?,
            None => template.append(&id, &block)?,
        }
    }
    Ok(())
}

/// The logical ids of the tables, in the template's order.
fn ids(template: &str) -> impl Iterator<Item = &str> {
    template
        .match_indices(TABLE)
        .filter_map(move |(at, _)| template[..at].lines().next_back().map(str::trim))
}

/// The logical ids of the tables that are kept when the stack is deleted, in the template's order.
pub(super) fn kept(template: &str) -> impl Iterator<Item = &str> {
    ids(template).filter(move |id| {
        let declared = template.split_once(&head(id)).map(|(_, rest)| document::block(rest));
        declared.is_some_and(|declared| declared.contains("    DeletionPolicy: Retain"))
    })
}

/// The settings of a new table that differ.
struct New<'a> {
    key: &'a TableKey,
    indexes: &'a BTreeMap<&'a str, TableKey>,
    /// A function consumes its stream.
    has_stream: bool,
    /// Its items expire.
    expires: bool,
    is_protected: bool,
}

/// A table whose data are kept, with the keys that the library writes.
fn block(id: &str, new: &New<'_>) -> String {
    let New { key, indexes, .. } = new;
    let mut text = format!(
        "  {id}{TABLE}    DeletionPolicy: RetainExceptOnCreate\n    UpdateReplacePolicy: Retain\n    \
         Properties:\n      BillingMode: PAY_PER_REQUEST\n      AttributeDefinitions:\n"
    );
    let keys = [*key].into_iter().chain(indexes.values());
    let mut known = BTreeSet::new();
    for name in keys.flat_map(|key| [Some(&key.partition), key.sort.as_ref()]).flatten() {
        if known.insert(name) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "        - {{AttributeName: {name}, AttributeType: S}}");
        }
    }
    let _ = writeln!(text, "      KeySchema: {}", schema(key));
    if !indexes.is_empty() {
        text += "      GlobalSecondaryIndexes:\n";
    }
    for (index, key) in *indexes {
        let _ = write!(
            text,
            "        - IndexName: {index}\n          KeySchema: {}\n          \
             Projection: {{ProjectionType: ALL}}\n",
            schema(key)
        );
    }
    if new.has_stream {
        text += "      StreamSpecification: {StreamViewType: NEW_IMAGE}\n";
    }
    if new.expires {
        let _ = writeln!(
            text,
            "      TimeToLiveSpecification: {{AttributeName: {EXPIRY}, Enabled: true}}"
        );
    }
    text += "      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}\n";
    if new.is_protected {
        text += "      DeletionProtectionEnabled: !Ref DeletionProtection\n";
    }
    text + "      SSESpecification: {SSEEnabled: true}\n"
}

fn schema(key: &TableKey) -> String {
    let sort = key.sort.iter().map(|sort| format!(", {{AttributeName: {sort}, KeyType: RANGE}}"));
    let sort = sort.collect::<String>();
    format!("[{{AttributeName: {}, KeyType: HASH}}{sort}]", key.partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "Resources:

  UsersTable:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: RetainExceptOnCreate

  LimitsTable:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Delete
    UpdateReplacePolicy: Retain

  OrdersTable:
    Type: AWS::DynamoDB::Table

    DeletionPolicy: Retain

  TokensTable:
    Type: AWS::DynamoDB::Table
    UpdateReplacePolicy: Retain

";

    #[test]
    fn a_table_is_kept_by_its_deletion_policy_only() {
        assert_eq!(kept(TEMPLATE).collect::<Vec<_>>(), ["UsersTable", "OrdersTable"]);
        assert_eq!(ids(TEMPLATE).last(), Some("TokensTable"));
    }

    #[test]
    fn a_new_table_has_the_keys_of_its_indexes_and_is_kept() {
        let block = |id: &str, key: &TableKey, indexes: &BTreeMap<&str, TableKey>, is_protected| {
            block(id, &New { key, indexes, has_stream: false, expires: false, is_protected })
        };
        let key = |partition: &str, sort: Option<&str>| TableKey {
            partition: partition.to_owned(),
            sort: sort.map(str::to_owned),
        };
        let by_creation = key("by_creation_pk", Some("by_creation_sk"));
        let indexes = BTreeMap::from([("by_creation", by_creation)]);
        let text = block("RatingsTable", &key("pk", None), &indexes, true);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for line in [
            "- {AttributeName: by_creation_sk, AttributeType: S}",
            "- IndexName: by_creation",
            "KeySchema: [{AttributeName: by_creation_pk, KeyType: HASH}, {AttributeName: by_creation_sk, KeyType: RANGE}]",
            "DeletionProtectionEnabled: !Ref DeletionProtection",
            "SSESpecification: {SSEEnabled: true}",
        ] {
            assert!(lines.contains(&line), "{line}: {text}");
        }
        let kept: Vec<_> = kept(&format!("Resources:\n\n{text}\n")).map(str::to_owned).collect();
        assert_eq!(kept, ["RatingsTable"]);
        let plain = block("RatingsTable", &key("pk", Some("sk")), &BTreeMap::new(), false);
        let schema =
            "KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]";
        assert!(plain.contains(schema), "{plain}");
        let by_age = BTreeMap::from([("by_age", key("pk", Some("age")))]);
        let shared = block("RatingsTable", &key("pk", Some("sk")), &by_age, false);
        assert_eq!(shared.matches("AttributeName: pk, AttributeType").count(), 1, "{shared}");
        assert!(!plain.contains("Indexes") && !plain.contains("DeletionProtection"), "{plain}");
    }
}
