//! Views of a table that follow it after a lag: its replica for eventually consistent reads, and
//! its global indexes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::definition::{IndexDefinition, IndexProjection, KeySchema, TableDefinition};
use super::key::{Key, Partition, Place};
use super::value::Item;
use crate::Millis;

/// Items by their place.
pub(super) type Entries = BTreeMap<Place, Arc<Item>>;

/// A view of a table.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// None for the replica.
    pub(super) index: Option<IndexDefinition>,
    pub(super) entries: Entries,
    places: BTreeMap<Key, Place>,
    /// When the last write of a partition of the table becomes visible here.
    visible_at: BTreeMap<Partition, Millis>,
}

impl View {
    pub(super) fn new(index: Option<IndexDefinition>) -> Self {
        Self {
            index,
            entries: Entries::new(),
            places: BTreeMap::new(),
            visible_at: BTreeMap::new(),
        }
    }

    /// When a write becomes visible: after its lag, and not before earlier writes of its partition.
    pub(super) fn visible_at(&mut self, partition: &Partition, now: Millis, lag: Millis) -> Millis {
        self.visible_at.retain(|_, at| *at > now);
        let earliest = self.visible_at.get(partition).copied().unwrap_or(now);
        let at = earliest.max(now + lag);
        if at > now {
            self.visible_at.insert(partition.clone(), at);
        }
        at
    }

    /// Makes a write visible.
    pub(super) fn show(&mut self, table: &TableDefinition, key: &Key, item: Option<&Arc<Item>>) {
        if let Some(place) = self.places.remove(key) {
            self.entries.remove(&place);
        }
        let Some(item) = item else { return };
        let entry = match &self.index {
            None => Some((Place::from(key.clone()), Arc::clone(item))),
            Some(index) => index_entry(table, index, key, item),
        };
        if let Some((place, item)) = entry {
            self.places.insert(key.clone(), place.clone());
            self.entries.insert(place, item);
        }
    }
}

/// The entry of an item in an index; none if it lacks an attribute of the index's key.
pub(super) fn index_entry(
    table: &TableDefinition,
    index: &IndexDefinition,
    key: &Key,
    item: &Arc<Item>,
) -> Option<(Place, Arc<Item>)> {
    let Key { partition, sort } = Key::stored(&index.key, item)?;
    let place = Place { partition, sort, key: Some(key.clone()) };
    let item = match &index.projection {
        IndexProjection::All => Arc::clone(item),
        IndexProjection::KeysOnly => Arc::new(only(&table.key, index, &[], item)),
        IndexProjection::Include(names) => Arc::new(only(&table.key, index, names, item)),
    };
    Some((place, item))
}

fn only(table: &KeySchema, index: &IndexDefinition, names: &[String], item: &Item) -> Item {
    let keys = table.attributes().chain(index.key.attributes()).map(|attribute| &attribute.name);
    let wanted = keys.chain(names);
    wanted.filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect()
}
