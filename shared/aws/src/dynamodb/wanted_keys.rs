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
    /// Whether one of them is wanted as it is now: a call has one consistency for each table.
    pub(super) is_current: bool,
    /// Those that are read again if they are missing.
    sought: BTreeSet<Key>,
}

/// How old a record may be that is read.
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
    pub(super) fn add<'a>(
        &mut self,
        name: &str,
        table: TableName,
        freshness: Freshness,
        keys: impl IntoIterator<Item = &'a Key>,
    ) {
        let none = || KeysOfTable {
            table,
            keys: BTreeSet::new(),
            is_current: false,
            sought: BTreeSet::new(),
        };
        let known = self.0.entry(name.to_owned()).or_insert_with(none);
        known.is_current |= freshness == Freshness::Current;
        for key in keys {
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
                missed.add(name, known.table, Freshness::Current, keys);
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
            keys.add(name, *table, *freshness, [&Key::new(key)]);
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
    fn only_a_missing_record_that_may_lag_is_read_again() {
        let keys = keys(&[
            ("u", USERS, Freshness::Lagging, "ann"),
            ("u", USERS, Freshness::Lagging, "bob"),
            ("c", CREDITS, Freshness::Guarded, "ann"),
        ]);
        let missed = keys.missed(|_, key| *key == Key::new("bob"));
        assert_eq!((missed.count(), missed.tables()), (1, "users".to_owned()));
        assert!(missed.0["u"].is_current && missed.0["u"].keys.contains(&Key::new("ann")));
        assert_eq!(keys.missed(|_, _| true).count(), 0);
    }
}
