//! The stored items that each input finds, and the project's own events.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use fs_err as fs;
use sam_template::Template;
use serde_json::Value as Json;
use simulate::opening::{article_id, items, product_id};
use simulate::people::Person;

/// The owner of the orders in `tests/items`.
const OWNER: &str = "01a3185c-5000-7aa4-9432-b6567132e5a4";

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The items, by the logical id of their table: the first data of the simulation, and the items of
/// released versions.
pub fn all() -> &'static [(String, Json)] {
    static ALL: LazyLock<Vec<(String, Json)>> = LazyLock::new(|| {
        let mut known = BTreeSet::new();
        let released = released().iter().filter(|(table, item)| {
            // A released item has a history in one file: its first state is stored.
            known.insert(format!("{table} {} {}", item["pk"], item["sk"]))
        });
        released.chain(items()).cloned().collect()
    });
    &ALL
}

/// The stored items of `tests/items`, in which a customer of the simulation has the order.
pub fn released() -> &'static [(String, Json)] {
    static RELEASED: LazyLock<Vec<(String, Json)>> = LazyLock::new(|| {
        let mut found = Vec::new();
        for file in files(&root().join("tests/items/v1"), "json") {
            let table = file.parent().and_then(Path::file_name).expect("it is in a folder");
            let table = table_id(&table.to_string_lossy());
            // The library's own examples are in tables that the store has not.
            if !template().tables.contains_key(&table) {
                continue;
            }
            let text = fs::read_to_string(&file).expect("it is a text");
            let text = text.replace(OWNER, &Person::Gold.id().to_string());
            let items: Json = serde_json::from_str(&text).expect("it is JSON");
            let items = items.as_array().cloned().unwrap_or_default();
            found.extend(items.into_iter().map(|item| (table.clone(), item)));
        }
        found
    });
    &RELEASED
}

/// The logical id of a table: `MailAddressesTable` of `mail_addresses`.
pub fn table_id(name: &str) -> String {
    let words = name.split('_').map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..]));
    format!("{}Table", words.collect::<String>())
}

fn template() -> &'static Template {
    static TEMPLATE: LazyLock<Template> =
        LazyLock::new(|| simulate::store::template().expect("it is supported"));
    &TEMPLATE
}

/// The queues of the template, by name.
pub fn queues() -> &'static [String] {
    static QUEUES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let queues = template().queues.values();
        let name = |it: &sam_template::Queue| {
            format!("{}{}", it.logical_id, if it.fifo { ".fifo" } else { "" })
        };
        queues.map(name).collect()
    });
    &QUEUES
}

/// The example event of a function, from `tests/events`, about items that are there.
///
/// # Panics
/// If the file is not JSON.
pub fn event_of(function: &str) -> Option<Json> {
    let path = root().join(format!("tests/events/{function}.json"));
    let text = fs::read_to_string(path).ok()?;
    let id = |end: &str| format!("00000000-0000-7000-8000-000000000{end}");
    let order = released().iter().find(|(table, _)| table == "OrdersTable");
    let order = order.and_then(|(_, item)| item["orderId"]["S"].as_str().map(str::to_owned));
    let text = text
        .replace(&id("101"), &product_id(0).to_string())
        .replace(&id("201"), &Person::Gold.address_id().to_string())
        .replace(&id("301"), &article_id(0).to_string())
        .replace("01a1fd5b-b346-736c-bad9-19332359e577", &order.unwrap_or_default());
    Some(serde_json::from_str(&text).expect("an event is JSON"))
}

/// The files of a folder and its folders, in order.
///
/// # Panics
/// If a folder cannot be read to its end.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    let found = paths.into_iter().flat_map(|path| {
        if path.is_dir() {
            files(&path, extension)
        } else if path.extension().is_some_and(|it| it == extension) {
            vec![path]
        } else {
            Vec::new()
        }
    });
    found.collect()
}
