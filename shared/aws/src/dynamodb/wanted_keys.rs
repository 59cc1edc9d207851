//! The keys of one `BatchGetItem`, and how old the records may be. Pure: no call.

use std::collections::{BTreeMap, BTreeSet};

use lifecycle::record::{Key, TableName};

/// The wanted keys, by the physical names of their tables, in order: a simulation makes the same
/// requests in each run.
#[derive(Default)]
pub struct Keys(pub(super) BTreeMap<String, KeysOfTable>);

/// The wanted keys of one table.
pub(super) struct KeysOfTable {
    pub(super) table: TableName,
    pub(super) keys: BTreeSet<Key>,
    /// The attributes that are read; `None` for all.
    pub(super) attributes: Option<BTreeSet<&'static str>>,
    /// Whether one of them is wanted as it is now: a call has one consistency for each table.
    pub(super) is_current: bool,
    /// The keys that are read again if they are missing.
    sought: BTreeSet<Key>,
}

/// The age that a record may have when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// As it is now.
    Current,
    /// A moment old, but not older than its creation.
    Lagging,
    /// A moment old, or missing although it exists.
    Guarded,
}

impl Keys {
    /// Adds keys, and the attributes that are read of their items; `None` for all. A key that no item
    /// can have is left out, so nothing is found for it.
    pub(super) fn add<'a>(
        &mut self,
        name: &str,
        table: TableName,
        attributes: Option<&[&'static str]>,
        freshness: Freshness,
        keys: impl IntoIterator<Item = &'a Key>,
    ) {
        let none = || KeysOfTable {
            table,
            keys: BTreeSet::new(),
            attributes: Some(BTreeSet::new()),
            is_current: false,
            sought: BTreeSet::new(),
        };
        let known = self.0.entry(name.to_owned()).or_insert_with(none);
        known.is_current |= freshness == Freshness::Current;
        // A call reads the same attributes of all items of a table.
        match (&mut known.attributes, attributes) {
            (Some(known), Some(attributes)) => known.extend(attributes),
            (known, None) => *known = None,
            (None, Some(_)) => {}
        }
        for key in keys.into_iter().filter(|key| table.can_have(key)) {
            if freshness == Freshness::Lagging {
                known.sought.insert(key.clone());
            }
            known.keys.insert(key.clone());
        }
    }

    /// The keys that are read again, because their items were not found.
    pub(super) fn missed(&self, is_found: impl Fn(&str, &Key) -> bool) -> Self {
        let mut missed = Self::default();
        for (name, known) in self.0.iter().filter(|(_, known)| !known.is_current) {
            let keys: Vec<&Key> = known.sought.iter().filter(|key| !is_found(name, key)).collect();
            if !keys.is_empty() {
                let attributes = known.attributes.as_ref();
                let attributes = attributes.map(|known| known.iter().copied().collect::<Vec<_>>());
                let attributes = attributes.as_deref();
                missed.add(name, known.table, attributes, Freshness::Current, keys);
            }
        }
        missed
    }

    pub(super) fn count(&self) -> usize {
        self.0.values().map(|known| known.keys.len()).sum()
    }

    /// The logical names of the tables, for a fault: any of them may be its cause.
    pub(super) fn tables(&self) -> String {
        let mut names: Vec<_> = self.0.values().map(|known| known.table.name()).collect();
        names.sort_unstable();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: TableName = TableName::new("users");
    const CREDITS: TableName = TableName::new("credits");

    fn keys(wanted: &[(&str, TableName, Freshness, &str)]) -> Keys {
        let mut keys = Keys::default();
        for (name, table, freshness, key) in wanted {
            keys.add(name, *table, Some(&["tier"]), *freshness, [&Key::new(key)]);
        }
        keys
    }

    #[test]
    fn a_table_is_read_as_it_is_now_if_one_of_its_records_is_wanted_so() {
        let keys = keys(&[
            ("u", USERS, Freshness::Lagging, "ann"),
            ("u", USERS, Freshness::Current, "bob"),
            ("c", CREDITS, Freshness::Guarded, "ann"),
        ]);
        assert_eq!((keys.0["u"].is_current, keys.0["c"].is_current), (true, false));
        assert_eq!(keys.count(), 3);
    }

    #[test]
    fn a_key_that_no_item_can_have_is_left_out() {
        let (lagging, long) = (Freshness::Lagging, "a".repeat(2049));
        let texts = ["", long.as_str(), "ann"];
        let keys = keys(&texts.map(|text| ("u", USERS, lagging, text)));
        assert_eq!((keys.count(), keys.missed(|_, _| false).count()), (1, 1));
        assert!(keys.0["u"].keys.contains(&Key::new("ann")));
    }

    #[test]
    fn only_a_missing_record_that_may_lag_is_read_again() {
        let keys = keys(&[
            ("u", USERS, Freshness::Lagging, "ann"),
            ("u", USERS, Freshness::Lagging, "bob"),
            ("c", CREDITS, Freshness::Guarded, "ann"),
        ]);
        let missed = keys.missed(|_, key| *key == Key::new("bob"));
        assert_eq!((missed.count(), missed.tables()), (1, "users".to_owned()));
        let again = &missed.0["u"];
        assert!(again.is_current && again.keys.contains(&Key::new("ann")));
        assert_eq!(again.attributes, Some(BTreeSet::from(["tier"])), "and no other attributes");
        assert_eq!(keys.missed(|_, _| true).count(), 0);
    }
}
