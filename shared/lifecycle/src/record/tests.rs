//! Tests of keys and items.

use serde::Deserialize;
use serde_dynamo::from_item;
use uuid::Uuid;

use super::*;

const BY_OWNER: IndexName = IndexName::new("by_owner");

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    id: String,
    owner: Option<String>,
}

impl Record for Note {
    const TABLE: TableName = TableName::new("notes").sorted();

    fn key(&self) -> Key {
        Key::sorted("notes", &self.id)
    }

    fn indexed(&self) -> Vec<IndexKey> {
        let place = |owner: &String| IndexKey {
            index: BY_OWNER,
            partition: owner.clone(),
            position: self.id.clone(),
        };
        self.owner.iter().map(place).collect()
    }
}

#[test]
fn the_item_has_the_attributes_of_its_key_and_indexes() {
    let note = Note { id: "1".to_owned(), owner: Some("ann".to_owned()) };
    let item = item_of(&note);
    for (name, value) in
        [("pk", "notes"), ("sk", "1"), ("by_owner_pk", "ann"), ("by_owner_sk", "1")]
    {
        assert_eq!(item.get(name), Some(&AttributeValue::S(value.to_owned())), "{name}");
    }
    assert_eq!(from_item::<_, Note>(item).unwrap(), note);
}

#[derive(Debug, Serialize, Deserialize)]
struct Tag {
    number: u8,
}

impl Record for Tag {
    const TABLE: TableName = TableName::new("tags");

    fn key(&self) -> Key {
        Key::sorted("tags", self.number)
    }
}

#[test]
#[should_panic(expected = "of a record of table tags does not fit its TableName")]
fn a_sorted_key_of_a_table_that_is_not_sorted_is_a_panic_with_the_table() {
    item_of(&Tag { number: 1 });
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Visit {
    customer_id: String,
    visited_at: String,
    shop: String,
}

impl Record for Visit {
    const TABLE: TableName =
        TableName::new("visits").partition_key_named("customerId").sort_key_named("visitedAt");

    fn key(&self) -> Key {
        Key::sorted(&self.customer_id, &self.visited_at)
    }

    fn indexed(&self) -> Vec<IndexKey> {
        vec![IndexKey {
            index: IndexName::new("by_shop").keyed_by("shop", "visitedAt"),
            partition: self.shop.clone(),
            position: self.visited_at.clone(),
        }]
    }
}

#[test]
fn key_and_index_attributes_with_own_names_are_fields_of_the_record() {
    let (customer_id, shop) = ("ann".to_owned(), "one".to_owned());
    let visit = Visit { customer_id, shop, visited_at: "2026-01-31".to_owned() };
    let item = item_of(&visit);
    let mut names: Vec<_> = item.inner().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["customerId", "shop", "visitedAt"]);
    assert_eq!(from_item::<_, Visit>(item).unwrap(), visit);
}

#[test]
fn a_record_without_a_place_is_absent_from_the_index() {
    let item = item_of(&Note { id: "1".to_owned(), owner: None });
    assert_eq!(item.get("by_owner_pk"), None);
}

#[test]
fn sharding_by_id_is_even_and_deterministic() {
    let place = |id| IndexKey::sharded(BY_OWNER, id, "").partition;
    let mut counts = [0; IndexName::WRITE_SHARDS.len()];
    for number in 0..4_000 {
        let partition = place(Uuid::from_u128(number));
        assert_eq!(partition, place(Uuid::from_u128(number)));
        counts[IndexName::WRITE_SHARDS.iter().position(|known| *known == partition).unwrap()] += 1;
    }
    assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
}

#[test]
fn a_table_is_found_by_the_variable_with_its_name_in_snake_case() {
    assert_eq!(TableName::new("late_users_2").variable(), "LATE_USERS_2_TABLE");
    for name in ["u", "late_users_2"] {
        assert!(is_snake_case(name), "{name}");
    }
    for name in ["", "2_users", "_users", "Users", "late-users", "us\u{e9}rs"] {
        assert!(!is_snake_case(name), "{name}");
    }
}
