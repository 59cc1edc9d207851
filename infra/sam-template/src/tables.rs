//! `AWS::DynamoDB::Table` and `AWS::Serverless::SimpleTable`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::deserialize::flag;
use super::error::TemplateError;
use super::model::{AttributeType, Index, Key, Projection, StreamView, Table};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct TableProperties {
    attribute_definitions: Vec<AttributeProperties>,
    key_schema: Vec<KeyProperties>,
    #[serde(default)]
    global_secondary_indexes: Vec<IndexProperties>,
    #[serde(default)]
    local_secondary_indexes: Vec<IndexProperties>,
    stream_specification: Option<StreamProperties>,
    time_to_live_specification: Option<TimeToLiveProperties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AttributeProperties {
    attribute_name: String,
    attribute_type: AttributeType,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct KeyProperties {
    attribute_name: String,
    key_type: KeyType,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
enum KeyType {
    Hash,
    Range,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct IndexProperties {
    index_name: String,
    key_schema: Vec<KeyProperties>,
    projection: ProjectionProperties,
    /// Here throughput has no limit.
    #[serde(rename = "ProvisionedThroughput")]
    _provisioned_throughput: Option<IgnoredAny>,
    #[serde(rename = "OnDemandThroughput")]
    _on_demand_throughput: Option<IgnoredAny>,
    #[serde(rename = "ContributorInsightsSpecification")]
    _contributor_insights_specification: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ProjectionProperties {
    projection_type: ProjectionType,
    #[serde(default)]
    non_key_attributes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ProjectionType {
    All,
    KeysOnly,
    Include,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct StreamProperties {
    #[serde(rename = "ResourcePolicy")]
    _resource_policy: Option<IgnoredAny>,
    stream_view_type: StreamView,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TimeToLiveProperties {
    attribute_name: String,
    #[serde(deserialize_with = "flag")]
    enabled: bool,
}

/// `AWS::Serverless::SimpleTable`: a table with only a partition key.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SimpleTableProperties {
    #[serde(default)]
    primary_key: PrimaryKey,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
struct PrimaryKey {
    name: String,
    r#type: SimpleType,
}

#[derive(Deserialize)]
enum SimpleType {
    String,
    Number,
    Binary,
}

/// SAM's default.
impl Default for PrimaryKey {
    fn default() -> Self {
        Self { name: "id".to_owned(), r#type: SimpleType::String }
    }
}

impl TableProperties {
    pub(super) fn into_table(self, id: &str, name: String) -> Result<Table, TemplateError> {
        let indexes = |indexes: Vec<IndexProperties>| {
            indexes.into_iter().map(|index| index.into_index(id)).collect::<Result<_, _>>()
        };
        let attributes = self.attribute_definitions.into_iter();
        Ok(Table {
            logical_id: id.to_owned(),
            name,
            key: key(id, self.key_schema)?,
            attributes: attributes.map(|it| (it.attribute_name, it.attribute_type)).collect(),
            indexes: indexes(self.global_secondary_indexes)?,
            local_indexes: indexes(self.local_secondary_indexes)?,
            stream: self.stream_specification.map(|stream| stream.stream_view_type),
            ttl_attribute: self
                .time_to_live_specification
                .filter(|ttl| ttl.enabled)
                .map(|ttl| ttl.attribute_name),
        })
    }
}

impl SimpleTableProperties {
    pub(super) fn into_table(self, id: &str, name: String) -> Table {
        let PrimaryKey { name: key, r#type } = self.primary_key;
        let attribute_type = match r#type {
            SimpleType::String => AttributeType::S,
            SimpleType::Number => AttributeType::N,
            SimpleType::Binary => AttributeType::B,
        };
        Table {
            logical_id: id.to_owned(),
            name,
            key: Key { partition: key.clone(), sort: None },
            attributes: BTreeMap::from([(key, attribute_type)]),
            indexes: Vec::new(),
            local_indexes: Vec::new(),
            stream: None,
            ttl_attribute: None,
        }
    }
}

impl IndexProperties {
    fn into_index(self, table: &str) -> Result<Index, TemplateError> {
        Ok(Index {
            name: self.index_name,
            key: key(table, self.key_schema)?,
            projection: match self.projection.projection_type {
                ProjectionType::All => Projection::All,
                ProjectionType::KeysOnly => Projection::KeysOnly,
                ProjectionType::Include => Projection::Include(self.projection.non_key_attributes),
            },
        })
    }
}

fn key(table: &str, schema: Vec<KeyProperties>) -> Result<Key, TemplateError> {
    let (hash, range): (Vec<_>, Vec<_>) =
        schema.into_iter().partition(|element| element.key_type == KeyType::Hash);
    let mut hash = hash.into_iter().map(|element| element.attribute_name);
    let mut range = range.into_iter().map(|element| element.attribute_name);
    match (hash.next(), hash.next(), range.next(), range.next()) {
        (Some(partition), None, sort, None) => Ok(Key { partition, sort }),
        _ => Err(TemplateError::in_resource(
            table,
            "KeySchema",
            "a key that is not one HASH and at most one RANGE",
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::Template;

    use super::*;

    #[test]
    fn a_simple_table_has_the_partition_key_id_unless_it_names_another() {
        let source = "Resources:
  A: {Type: 'AWS::Serverless::SimpleTable'}
  B:
    Type: AWS::Serverless::SimpleTable
    Properties: {PrimaryKey: {Name: n, Type: Number}}
";
        let template = Template::parse(source, &BTreeMap::new()).unwrap();
        assert_eq!(template.tables["A"].key.partition, "id");
        assert_eq!(template.tables["A"].attributes["id"], AttributeType::S);
        assert_eq!(template.tables["B"].attributes["n"], AttributeType::N);
    }

    #[test]
    fn a_table_has_local_indexes_apart_from_global_ones() {
        let source = "Resources:
  A:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
        - {AttributeName: sk, AttributeType: S}
        - {AttributeName: at, AttributeType: S}
      KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]
      ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 1}
      LocalSecondaryIndexes:
        - IndexName: by_time
          KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: at, KeyType: RANGE}]
          Projection: {ProjectionType: ALL}
";
        let template = Template::parse(source, &BTreeMap::new()).unwrap();
        let table = &template.tables["A"];
        assert!(table.indexes.is_empty());
        assert_eq!(table.local_indexes[0].name, "by_time");
        assert_eq!(table.local_indexes[0].key.sort.as_deref(), Some("at"));
    }
}
