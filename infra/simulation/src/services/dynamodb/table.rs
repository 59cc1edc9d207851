//! The state of a table.

use std::sync::Arc;

use super::capacity::{Buckets, Consumed, Consumer, HalfUnits, Use, throttled};
use super::definition::{IndexDefinition, TableDefinition};
use super::key::{Key, Partition, Place};
use super::stream::Stream;
use super::value::{Item, item_bytes};
use super::view::{Entries, View, index_entry};
use crate::Millis;
use crate::services::wire::AwsError;

/// A table with its views. View 0 is the replica, and the others are the global indexes in order.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) definition: TableDefinition,
    pub(super) items: Entries,
    pub(super) views: Vec<View>,
    pub(super) stream: Option<Stream>,
    /// The buckets of the table, and of each global index.
    buckets: Vec<Buckets>,
}

/// The part of a table that a query or scan reads.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    Table,
    /// The number of the view.
    Global(usize, &'a IndexDefinition),
    Local(&'a IndexDefinition),
}

impl Table {
    pub(super) fn new(definition: TableDefinition, now: Millis) -> Self {
        let indexes = definition.global_indexes.iter().cloned().map(Some);
        let views: Vec<View> = std::iter::once(None).chain(indexes).map(View::new).collect();
        let stream = definition.stream.map(|view| Stream::new(&definition.name, view, now));
        let buckets = views.iter().map(|_| Buckets::default()).collect();
        Self { definition, items: Entries::new(), views, stream, buckets }
    }

    pub(super) fn item(&self, key: &Key) -> Option<&Arc<Item>> {
        self.items.get(&Place::from(key.clone()))
    }

    /// The item as a read sees it.
    pub(super) fn read(&self, key: &Key, consistent: bool) -> Option<&Arc<Item>> {
        self.entries(consistent).get(&Place::from(key.clone()))
    }

    /// The items as a read of the table sees them.
    pub(super) fn entries(&self, consistent: bool) -> &Entries {
        match self.views.first() {
            Some(replica) if !consistent => &replica.entries,
            _ => &self.items,
        }
    }

    /// The table, or the index of this name.
    pub(super) fn source(&self, index: Option<&str>) -> Result<Source<'_>, AwsError> {
        let Some(name) = index else { return Ok(Source::Table) };
        let global = self.definition.global_indexes.iter().enumerate();
        if let Some((number, index)) = global.into_iter().find(|(_, index)| index.name == name) {
            return Ok(Source::Global(number + 1, index));
        }
        let local = self.definition.local_indexes.iter().find(|index| index.name == name);
        local.map(Source::Local).ok_or_else(|| {
            AwsError::invalid(format!("The table does not have the specified index: {name}"))
        })
    }

    /// Stores the item, or deletes it. Returns the item before.
    pub(super) fn store(&mut self, key: &Key, new: Option<&Arc<Item>>) -> Option<Arc<Item>> {
        let place = Place::from(key.clone());
        match new {
            Some(item) => self.items.insert(place, Arc::clone(item)),
            None => self.items.remove(&place),
        }
    }

    /// The units of a write, for the table and the indexes that it changes. A transaction consumes
    /// double units of the table.
    pub(super) fn write_units(
        &self,
        key: &Key,
        old: Option<&Arc<Item>>,
        new: Option<&Arc<Item>>,
        transactional: bool,
    ) -> Vec<(Consumer<'_>, HalfUnits)> {
        let factor = if transactional { 2 } else { 1 };
        let bytes = |item: Option<&Arc<Item>>| item.map_or(0, |item| item_bytes(item));
        let of_table = HalfUnits::write(bytes(old).max(bytes(new)));
        let mut units = vec![(Consumer::Table, HalfUnits(factor * of_table.0))];
        let definition = &self.definition;
        let global = definition.global_indexes.iter().map(|it| (it, Consumer::Global(&it.name)));
        let local = definition.local_indexes.iter().map(|it| (it, Consumer::Local(&it.name)));
        for (index, consumer) in global.chain(local) {
            let entry = |item: Option<&Arc<Item>>| index_entry(definition, index, key, item?);
            let (before, after) = (entry(old), entry(new));
            let of_index = match (&before, &after) {
                (None, None) => continue,
                (Some((_, one)), Some((_, two))) if one == two => continue,
                // The old entry is deleted, and the new one is put.
                (Some((from, one)), Some((to, two))) if from != to => {
                    HalfUnits::write(item_bytes(one)) + HalfUnits::write(item_bytes(two))
                }
                (before, after) => {
                    let bytes = |it: &Option<(Place, Arc<Item>)>| {
                        it.as_ref().map_or(0, |(_, item)| item_bytes(item))
                    };
                    HalfUnits::write(bytes(before).max(bytes(after)))
                }
            };
            units.push((consumer, of_index));
        }
        units
    }

    /// An error if a partition has no throughput left. `view` is 0 for the table.
    pub(super) fn admit(
        &mut self,
        view: usize,
        used: Use,
        partition: &Partition,
        now: Millis,
    ) -> Result<(), AwsError> {
        let Some(limit) = self.definition.throughput else { return Ok(()) };
        let Some(buckets) = self.buckets.get_mut(view) else { return Ok(()) };
        if buckets.admits(limit, used, partition, now) { Ok(()) } else { Err(throttled()) }
    }

    /// Takes units from the throughput of a partition, and counts them.
    pub(super) fn charge(
        &mut self,
        view: usize,
        used: Use,
        partition: &Partition,
        now: Millis,
        units: HalfUnits,
    ) {
        if let (Some(limit), Some(buckets)) =
            (self.definition.throughput, self.buckets.get_mut(view))
        {
            buckets.take(limit, used, partition, now, units);
        }
    }

    /// Takes the units of a write from the throughput of the table, whose partitions have the local
    /// indexes, and counts them with those of the global indexes.
    pub(super) fn charge_write(
        &mut self,
        key: &Key,
        old: Option<&Arc<Item>>,
        new: Option<&Arc<Item>>,
        transactional: bool,
        now: Millis,
        consumed: &mut Consumed,
    ) {
        let mut of_table = HalfUnits::default();
        for (consumer, units) in self.write_units(key, old, new, transactional) {
            if !matches!(consumer, Consumer::Global(_)) {
                of_table = of_table + units;
            }
            consumed.add(&self.definition.name, consumer, units);
        }
        self.charge(0, Use::Write, &key.partition, now, of_table);
    }
}
