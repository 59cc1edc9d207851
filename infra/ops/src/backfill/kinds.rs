//! The kinds of items that can be written again.
//!
//! The record type of a kind declares its changes from version to version, see
//! [`lifecycle::rewrite`]. An item of a table belongs to the kind that holds its partition key.

use domain::BusinessRules;
use domain::articles::Article;
use domain::catalogue::{NameClaim, Product, StockPart, TypedNameClaim};
use domain::communications::UpstreamCall;
use domain::credit::{CreditAccount, Reservation};
use domain::notices::NoticeLog;
use domain::orders::{Order, OrderSummary, SerialNumbers};
use domain::people::{Address, EmailClaim, KnownSources, MailAddress, User};
use lifecycle::commit::OutboxRow;
use lifecycle::record::{Record, TableName};
use lifecycle::rewrite::{NotRewritten, rewritten};
use serde_dynamo::Item;

/// A kind of items.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// Its name, such as `name-claims`.
    pub(crate) name: &'static str,
    /// Their table, which may have other kinds too.
    pub(crate) table: TableName,
    /// Whether an item with this partition key is one of them.
    pub(crate) holds: fn(&str) -> bool,
    /// The attributes that an item may lack, of a kind without a `version` that counts changes.
    /// Only its name shows that such an attribute was added concurrently.
    pub(crate) optional: &'static [&'static str],
    /// Whether keys are personal data.
    pub(crate) key_is_personal: bool,
    /// The item as this version writes it.
    pub(crate) rewritten: fn(&Item) -> Result<Item, NotRewritten>,
}

/// All kinds. Not included are items that expire within a day or two: those of the idempotency
/// table, limits, circuits, tokens and objects.
pub(crate) const KINDS: &[Kind] = &[
    Kind::of::<User>("users", |pk| !pk.contains('#')),
    Kind::of::<EmailClaim>("email-claims", |pk| pk.starts_with("email#")).lacking(&["expiresAt"]),
    Kind::of::<KnownSources>("known-sources", |pk| pk.starts_with("sources#")),
    Kind::of::<MailAddress>("mail-addresses", |_| true),
    Kind::of::<Address>("addresses", |_| true),
    Kind::of::<Product>("products", |pk| !pk.starts_with("name#") && !pk.starts_with("stock#")),
    Kind::of::<StockPart>("stock-parts", |pk| pk.starts_with("stock#")),
    Kind {
        rewritten: rewritten_claim,
        ..Kind::of::<NameClaim>("name-claims", |pk| pk.starts_with("name#"))
    },
    Kind::of::<Order>("orders", |_| true),
    Kind::of::<OrderSummary>("order-summaries", |_| true),
    Kind::of::<CreditAccount>("credit-accounts", |pk| pk.starts_with("account#")),
    Kind::of::<Reservation>("reservations", |pk| pk.starts_with("order#")).lacking(&["refused"]),
    Kind::of::<SerialNumbers>("serial-numbers", |_| true),
    Kind::of::<NoticeLog>("notices", |_| true),
    Kind::of::<Article>("articles", |_| true),
    Kind::of::<BusinessRules>("rules", |pk| pk == "rules"),
    Kind::of::<OutboxRow>("outbox", |_| true).lacking(&[
        "refusals",
        "refusedAt",
        "relayedAt",
        "setAsideAt",
        "traceparent",
        "tracestate",
    ]),
    Kind::of::<UpstreamCall>("communications", |_| true).lacking(&[
        "latencyMs",
        "response",
        "status",
    ]),
];

impl Kind {
    /// The items of a record type.
    const fn of<R: Record>(name: &'static str, holds: fn(&str) -> bool) -> Self {
        Self {
            name,
            table: R::TABLE,
            holds,
            optional: &[],
            key_is_personal: R::KEY_IS_PERSONAL,
            rewritten: rewritten::<R>,
        }
    }

    /// Whether the table has keys that are personal data, of this kind or of another. Then a
    /// position in it is personal data too.
    pub(crate) fn position_is_personal(&self) -> bool {
        KINDS.iter().any(|kind| kind.table == self.table && kind.key_is_personal)
    }

    const fn lacking(self, optional: &'static [&'static str]) -> Self {
        Self { optional, ..self }
    }

    /// The kind of a name.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let found = KINDS.iter().find(|kind| kind.name == name).copied();
        found.ok_or_else(|| {
            let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
            format!("the kinds are {}", names.join(", "))
        })
    }
}

/// A claim's key is the normalized form of its name, or the name as it was typed.
fn rewritten_claim(item: &Item) -> Result<Item, NotRewritten> {
    rewritten::<NameClaim>(item).or_else(|error| match error {
        NotRewritten::OtherKey => rewritten::<TypedNameClaim>(item),
        _ => Err(error),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    const RELEASED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/items");

    /// Tables whose items expire before support for the version that wrote them ends.
    const PASSING: [&str; 5] = ["circuits", "ledger", "limits", "objects", "tokens"];
    /// A table of the library that the store does not have.
    const FOREIGN: &str = "api_keys";

    #[test]
    fn every_released_lasting_item_is_of_one_kind_and_rewritten_stably() {
        for (table, items) in released() {
            if table == FOREIGN || PASSING.contains(&table.as_str()) {
                continue;
            }
            for item in items {
                let Some(serde_dynamo::AttributeValue::S(pk)) = item.get("pk") else { panic!() };
                let of: Vec<_> = KINDS
                    .iter()
                    .filter(|kind| kind.table.name() == table && (kind.holds)(pk))
                    .collect();
                if pk.starts_with("backfill#") {
                    assert!(of.is_empty(), "a run of backfill belongs to no kind");
                    continue;
                }
                let [kind] = &of[..] else { panic!("{pk} of {table} is of {} kinds", of.len()) };
                let once = (kind.rewritten)(&item);
                let once = once.unwrap_or_else(|error| panic!("{} {pk}: {error}", kind.name));
                assert_eq!((kind.rewritten)(&once).as_ref(), Ok(&once), "{}", kind.name);
            }
        }
    }

    #[test]
    fn the_document_on_restores_has_each_kind_of_a_restored_table() {
        let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/DATA.md");
        let document = fs::read_to_string(document).unwrap();
        let row = |line: &str| {
            let (table, kinds) = line.trim().strip_suffix(" ;;")?.split_once("Table) echo ")?;
            let kinds = kinds.split(' ').map(str::to_owned);
            Some((table.to_lowercase(), kinds.collect::<BTreeSet<_>>()))
        };
        let documented: BTreeMap<_, _> = document.lines().filter_map(row).collect();
        let mut kinds = BTreeMap::<_, BTreeSet<_>>::new();
        // The read model is not restored but rebuilt.
        for kind in KINDS.iter().filter(|kind| kind.name != "order-summaries") {
            kinds
                .entry(kind.table.name().replace('_', ""))
                .or_default()
                .insert(kind.name.to_owned());
        }
        assert_eq!(documented, kinds);
    }

    #[test]
    fn an_attribute_that_an_item_without_a_version_may_lack_is_declared() {
        for kind in KINDS {
            let (mut some, mut all) = (BTreeSet::new(), None::<BTreeSet<String>>);
            let items = released().remove(kind.table.name()).unwrap_or_default();
            for item in items {
                let Some(serde_dynamo::AttributeValue::S(pk)) = item.get("pk") else { panic!() };
                // A row's version is that of its event's data, and does not count changes.
                let is_counted = item.contains_key("version") && kind.name != "outbox";
                if !(kind.holds)(pk) || is_counted {
                    continue;
                }
                let of_record = |name: &&String| !name.ends_with("_pk") && !name.ends_with("_sk");
                let names: BTreeSet<_> = item.keys().filter(of_record).cloned().collect();
                some.extend(names.iter().cloned());
                all = Some(all.map_or(names.clone(), |all| &all & &names));
            }
            let lacking = &some - &all.unwrap_or_default();
            let declared = kind.optional.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(lacking, declared, "{}", kind.name);
        }
    }

    #[test]
    fn positions_in_tables_with_addresses_as_keys_are_personal() {
        let personal = KINDS.iter().filter(|kind| kind.position_is_personal());
        let personal: Vec<_> = personal.map(|kind| kind.name).collect();
        assert_eq!(personal, ["users", "email-claims", "known-sources", "mail-addresses"]);
    }

    #[test]
    fn an_unknown_kind_is_an_error_with_all_kinds() {
        assert!(Kind::named("order").unwrap_err().contains("orders"));
    }

    /// The items that released versions wrote, by their tables.
    fn released() -> BTreeMap<String, Vec<Item>> {
        let mut items: BTreeMap<String, Vec<Item>> = BTreeMap::new();
        for version in entries(Path::new(RELEASED)).into_iter().filter(|path| path.is_dir()) {
            let tables = |path: &PathBuf| path.is_dir() && !path.ends_with("events");
            for folder in entries(&version).into_iter().filter(tables) {
                let table = folder.file_name().unwrap().to_str().unwrap().to_owned();
                for file in entries(&folder) {
                    let text = fs::read_to_string(file).unwrap();
                    let read: Vec<Item> = serde_json::from_str(&text).unwrap();
                    items.entry(table.clone()).or_default().extend(read);
                }
            }
        }
        items
    }

    fn entries(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}
