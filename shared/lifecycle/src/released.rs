//! Items and events of released versions, for tests: this version has to read all of them.
//!
//! `tests/items/<version>/<table>/<Type>.json` has the items of a record type, in DynamoDB's JSON,
//! and `tests/items/<version>/events/<Event>.json` envelopes as queues deliver them. The
//! released code writes a file once, and it never changes. `RELEASED=v2 cargo test released` adds the
//! files of a version that differ from those of all others.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use serde::de::DeserializeOwned;
use serde_dynamo::Item;
use serde_json::{Value, json};

use crate::effects::EventData;
use crate::envelope::Envelope;
use crate::record::{Record, item_of};
use crate::rewrite::is_of_index;
use crate::stored;

/// The folder of the workspace with these files.
const FOLDER: &str = "tests/items";
/// The variable with the version whose missing files are written.
const RELEASED: &str = "RELEASED";

/// Reads the items of a record type that released versions wrote, and writes each again.
///
/// No attribute of an item may be lost, except those of indexes and of [`Record::FORMER`]. `present`
/// has records of every form that this version writes; they become the items of the version that
/// `RELEASED` names.
///
/// # Panics
///
/// When there are no such items, one cannot be read, or an attribute is lost.
pub fn holds<R: Record>(present: &[R]) {
    let items: Vec<_> = present.iter().map(item_of).collect();
    holds_items(R::TABLE.name(), short_name::<R>(), items, lost::<R>);
}

/// As [`holds`], for items that do not implement [`Record`].
///
/// # Panics
///
/// As [`holds`].
pub fn holds_items(
    table: &str,
    kind: &str,
    present: Vec<Item>,
    lost: impl Fn(Item) -> Result<Vec<String>, String>,
) {
    let present: Vec<_> = present.iter().map(|item| json!(item)).collect();
    for (path, stored) in files(table, kind, &present) {
        let item: Item = serde_json::from_value(stored).expect("DynamoDB's JSON");
        let lost = lost(item).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(
            lost.is_empty(),
            "{}: {lost:?} are lost: declare an alias or FORMER",
            path.display()
        );
    }
}

/// Checks that a stored record is read unchanged with each of these values in it, one at a time, by
/// its JSON Pointer: values that input refuses now, and that an earlier version may have accepted.
///
/// # Panics
///
/// When an item cannot be read, or a value is lost.
pub fn is_read_with<R: Record>(record: &R, changes: &[(&str, Value)]) {
    let written: Value = serde_dynamo::from_item(item_of(record)).expect("an item is JSON");
    let unchanged = R::of_item(item_of(record)).expect("the record is read");
    assert_eq!(item_of(&unchanged), item_of(record));
    for (pointer, value) in changes {
        let mut stored = written.clone();
        *stored.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}: {written}")) =
            value.clone();
        let read = R::of_item(serde_dynamo::to_item(&stored).expect("JSON is an item"));
        let read = read.unwrap_or_else(|error| panic!("{pointer} {value}: {error}"));
        let again: Value = serde_dynamo::from_item(item_of(&read)).expect("an item is JSON");
        assert_eq!(again.pointer(pointer), Some(value), "{pointer}");
    }
}

/// Reads the events of a type that released versions sent, and writes each again. No field may be
/// lost.
///
/// # Panics
///
/// As [`holds`].
pub fn holds_events<E: EventData + DeserializeOwned>(present: &[E]) {
    let envelope = |data: &E| {
        json!({
            "eventId": "0197f5a4-0000-7000-8000-00000000000e", "eventType": E::TYPE,
            "version": E::VERSION, "occurredAt": "2026-01-31T12:00:00.000Z",
            "aggregateId": "aggregate-1", "requestId": "request-1",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "tracestate": "vendor=1", "data": data,
        })
    };
    let present: Vec<_> = present.iter().map(envelope).collect();
    for (path, stored) in files("events", E::TYPE, &present) {
        let read = stored::from_json::<Envelope<E>>(&stored.to_string());
        let read = read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut lost = Vec::new();
        compare("", &stored, Some(&json!(read)), &mut lost);
        assert!(lost.is_empty(), "{}: {lost:?} are lost", path.display());
    }
}

/// The attributes that an item loses when it is read and written again.
///
/// # Errors
///
/// When the item cannot be read.
pub fn lost<R: Record>(item: Item) -> Result<Vec<String>, String> {
    let before: Value = serde_dynamo::from_item(item.clone()).map_err(|error| error.to_string())?;
    let record = R::of_item(item).map_err(|error| error.to_string())?;
    let keyless = record.key().pk.is_empty();
    let after: Value =
        serde_dynamo::from_item(item_of(&record)).map_err(|error| error.to_string())?;
    let mut lost = Vec::new();
    compare("", &before, Some(&after), &mut lost);
    // A rewrite may move index entries. Some records are read without their key, and are never
    // written again.
    let is_key = |name: &str| [R::TABLE.partition_key(), R::TABLE.sort_key()].contains(&name);
    lost.retain(|name| {
        let may_be_lost = is_of_index(name) || R::FORMER.contains(&name.as_str());
        let is_unread_key = keyless && is_key(name);
        !may_be_lost && !is_unread_key
    });
    Ok(lost)
}

/// Collects the paths of values that differ, without the numbers of list elements.
fn compare(path: &str, before: &Value, after: Option<&Value>, lost: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Some(Value::Object(after))) => {
            for (name, value) in before {
                let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                compare(&path, value, after.get(name), lost);
            }
        }
        (Value::Array(before), Some(Value::Array(after))) if before.len() == after.len() => {
            for (before, after) in before.iter().zip(after) {
                compare(path, before, Some(after), lost);
            }
        }
        (before, Some(after)) if before == after => {}
        _ if lost.last().is_some_and(|last| last == path) => {}
        _ => lost.push(path.to_owned()),
    }
}

/// The stored values of a kind of all versions, each with its file.
fn files(folder: &str, kind: &str, present: &[Value]) -> Vec<(PathBuf, Value)> {
    let name = Path::new(folder).join(format!("{kind}.json"));
    let kept = folder_of_items();
    if let Ok(version) = env::var(RELEASED) {
        add(&kept, &version, &name, present);
    }
    let paths = versions_of(&kept, &name).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        !paths.is_empty(),
        "{FOLDER} has no {}: run the test with {RELEASED} set to the next version, such as v2",
        name.display()
    );
    let mut all = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("the file can be read");
        let stored: Vec<Value> = serde_json::from_str(&text).expect("a list");
        assert!(!stored.is_empty(), "{} is empty", path.display());
        all.extend(stored.into_iter().map(|stored| (path.clone(), stored)));
    }
    all
}

/// The files of a kind, of all versions. There are none without the folder.
///
/// # Errors
///
/// When the folder cannot be read.
fn versions_of(kept: &Path, name: &Path) -> Result<Vec<PathBuf>, String> {
    let unread = |error: io::Error| format!("{} cannot be read: {error}", kept.display());
    let versions = match fs::read_dir(kept) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        versions => versions.map_err(unread)?,
    };
    let paths = versions.map(|version| Ok(version?.path().join(name)));
    let mut paths: Vec<_> = paths.collect::<Result<_, _>>().map_err(unread)?;
    paths.retain(|path: &PathBuf| path.exists());
    paths.sort();
    Ok(paths)
}

/// Writes the file of a version, unless it exists, or an older version wrote the same.
fn add(kept: &Path, version: &str, name: &Path, present: &[Value]) {
    let path = kept.join(version).join(name);
    let text = serde_json::to_string_pretty(&sorted(&json!(present))).expect("values") + "\n";
    let is_same = |file: &PathBuf| fs::read_to_string(file).is_ok_and(|older| older == text);
    let versions = versions_of(kept, name).unwrap_or_else(|error| panic!("{error}"));
    if path.exists() || versions.iter().any(is_same) {
        return;
    }
    fs::create_dir_all(path.parent().expect("it is below a folder")).expect("a folder");
    fs::write(&path, text).expect("the file can be written");
}

/// The folder with the released files: of the package under test, or of the nearest folder above it
/// that has one. Without any, the place for it is beside `Cargo.lock`.
fn folder_of_items() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let above = || Path::new(&package).ancestors();
    let found = above().map(|folder| folder.join(FOLDER)).find(|items| items.is_dir());
    let new = || above().find(|folder| folder.join("Cargo.lock").is_file());
    found.unwrap_or_else(|| new().unwrap_or(Path::new(&package)).join(FOLDER))
}

/// The same value with sorted object names, so that files are reproducible.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut names: Vec<_> = object.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            names.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn short_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    name.rsplit("::").next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::record::{Key, TableName};

    macro_rules! version {
        ($name:ident, $former:expr, { $($(#[$attribute:meta])* $field:ident: $type:ty),* }) => {
            #[derive(Serialize, Deserialize)]
            #[serde(rename_all = "camelCase")]
            struct $name { id: String, $($(#[$attribute])* $field: $type),* }
            impl Record for $name {
                const TABLE: TableName = TableName::new("notes");
                const FORMER: &'static [&'static str] = $former;
                fn key(&self) -> Key { Key::new(&self.id) }
            }
        };
    }

    version!(Same, &[], { title: String, tags: Vec<Value> });
    version!(Dropped, &[], { tags: Vec<Value> });
    version!(DroppedAndSaid, &["title"], { tags: Vec<Value> });
    version!(Renamed, &[], { #[serde(default)] name: String, tags: Vec<Value> });
    version!(Aliased, &["title"], { #[serde(alias = "title")] name: String, tags: Vec<Value> });
    version!(Tightened, &[], { title: u8, tags: Vec<Value> });
    version!(Emptied, &[], { title: String, tags: Vec<Tag> });
    version!(EmptiedAndSaid, &["tags/to"], { title: String, tags: Vec<Tag> });

    #[derive(Serialize, Deserialize)]
    struct Tag {
        of: u8,
    }

    #[test]
    fn the_released_items_of_a_workspace_are_found_from_each_of_its_packages() {
        let found = folder_of_items();
        assert!(found.ends_with(FOLDER) && found.join("v1").is_dir(), "{}", found.display());
    }

    #[test]
    fn a_version_adds_only_the_files_that_no_version_has() {
        let kept = env::temp_dir().join(format!("released-{}", std::process::id()));
        let name = Path::new("notes/Note.json");
        let (old, new) = ([json!({ "title": "A" })], [json!({ "title": "A", "tags": [] })]);
        add(&kept, "v1", name, &old);
        add(&kept, "v2", name, &old);
        assert_eq!(versions_of(&kept, name).unwrap(), [kept.join("v1").join(name)]);

        add(&kept, "v2", name, &new);
        add(&kept, "v2", name, &old);

        let files = versions_of(&kept, name).unwrap();
        assert_eq!(files, [kept.join("v1").join(name), kept.join("v2").join(name)]);
        assert!(fs::read_to_string(&files[1]).unwrap().contains("tags"));
        fs::remove_dir_all(&kept).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_an_error_and_a_missing_one_is_empty() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let name = Path::new("notes/Note.json");

        let error = versions_of(&file, name).unwrap_err();

        assert!(error.starts_with(&format!("{} cannot be read: ", file.display())), "{error}");
        assert_eq!(versions_of(&file.with_file_name("missing"), name), Ok(vec![]));
    }

    #[test]
    fn a_field_removed_or_renamed_without_alias_or_former_is_found() {
        assert_eq!(lost_of::<Same>(), Ok(vec![]));
        assert_eq!(lost_of::<Dropped>(), Ok(vec!["title".to_owned()]));
        assert_eq!(lost_of::<DroppedAndSaid>(), Ok(vec![]));
        assert_eq!(lost_of::<Renamed>(), Ok(vec!["title".to_owned()]));
        assert_eq!(lost_of::<Aliased>(), Ok(vec![]));
        assert!(lost_of::<Tightened>().is_err());
        assert_eq!(lost_of::<Emptied>(), Ok(vec!["tags/to".to_owned()]));
        assert_eq!(lost_of::<EmptiedAndSaid>(), Ok(vec![]));
    }

    #[test]
    fn a_record_that_is_read_without_its_key_may_lose_it_and_no_other_attribute() {
        #[derive(Serialize, Deserialize)]
        struct Keyless {
            id: String,
        }
        impl Record for Keyless {
            const TABLE: TableName = TableName::new("notes");
            fn key(&self) -> Key {
                Key::new("")
            }
        }
        assert_eq!(lost_of::<Keyless>(), Ok(vec!["tags".to_owned(), "title".to_owned()]));
    }

    #[test]
    fn a_list_that_is_shorter_and_another_value_are_lost() {
        for (before, after) in [(json!([1, 2]), json!([1])), (json!([1]), json!([2]))] {
            let mut lost = Vec::new();
            compare("", &json!({ "tags": before }), Some(&json!({ "tags": after })), &mut lost);
            assert_eq!(lost, ["tags"]);
        }
    }

    #[test]
    #[should_panic(expected = "run the test with RELEASED set")]
    fn a_record_without_items_of_a_version_has_to_be_released() {
        holds::<Same>(&[]);
    }

    #[test]
    #[should_panic(expected = "run the test with RELEASED set")]
    fn an_event_without_a_file_of_a_version_has_to_be_released() {
        #[derive(Debug, Serialize, Deserialize)]
        struct Unknown {}
        impl EventData for Unknown {
            const TYPE: &'static str = "NeverReleased";
        }
        holds_events::<Unknown>(&[]);
    }

    #[test]
    #[should_panic(expected = "/title")]
    fn a_record_that_cannot_be_read_with_a_value_of_an_earlier_version_is_found() {
        let record = Same { id: "1".to_owned(), title: "A".to_owned(), tags: vec![] };
        is_read_with(&record, &[("/title", json!(7))]);
    }

    fn lost_of<R: Record>() -> Result<Vec<String>, String> {
        let item = json!({
            "pk": "1", "by_id_pk": "0", "by_id_sk": "1", "id": "1", "title": "A",
            "tags": [{ "of": 1, "to": 2 }, { "of": 1, "to": 2 }],
        });
        lost::<R>(serde_dynamo::to_item(item).unwrap())
    }
}
