//! The labels of parts, which keep the ids of their events and messages distinct.

use std::collections::HashMap;

use crate::effects::{Content, Effects};
use crate::hash::short_hash_of;
use crate::record::Key;

/// Gives each part of the effects of one record a distinct label.
///
/// A repeated run may find other rows, or the same ones in another order, and each row should get its
/// ids again. So a label is made of the items that the part writes, and of the types and aggregates
/// of the events that it publishes or sends. Only parts that are equal in both are numbered, in their
/// order. Data is not in the label, since it may contain the time.
#[derive(Debug, Default)]
pub(crate) struct PartLabels {
    /// The number of parts so far, by the part of the label that contains no number.
    counts: HashMap<String, usize>,
}

impl PartLabels {
    /// The label of the next part.
    pub(crate) fn label_of(&mut self, part: &Effects) -> String {
        let contents = format!("part/{}/{}", items_of(part), events_of(part));
        let count = self.counts.entry(contents.clone()).or_default();
        let label = format!("{contents}/{count}/");
        *count += 1;
        label
    }
}

/// The hash of the items that a part writes, in any order.
fn items_of(part: &Effects) -> String {
    let items = part.writes().iter().map(|write| {
        let Key { pk, sk } = &write.key;
        [write.table.name(), pk.as_str(), sk.as_deref().unwrap_or_default()]
    });
    let mut items: Vec<[&str; 3]> = items.collect();
    items.sort_unstable();
    short_hash_of(items.as_flattened().iter().map(|text| text.as_bytes()))
}

/// The hash of the events that a part publishes or sends, in their order.
fn events_of(part: &Effects) -> String {
    let messages = part.messages().iter().chain(part.announced()).chain(part.handed_over());
    let sent = messages.filter_map(|message| match &message.content {
        Content::New(event) => Some(event),
        Content::Forward(_) => None,
    });
    let events = part.events().iter().chain(sent);
    let texts = events.flat_map(|event| [event.event_type, event.aggregate_id.as_str()]);
    short_hash_of(texts.map(str::as_bytes))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde::Serialize;

    use super::*;
    use crate::effects::{
        Event, EventData, Message, OnConditionFailed, QueueName, Write, WriteAction,
    };
    use crate::record::TableName;

    const LOANS: TableName = TableName::new("loans");
    const RENEWALS: TableName = TableName::new("renewals");
    const READERS: QueueName = QueueName::new("readers");

    #[derive(Serialize)]
    struct Lent {
        copies: u32,
    }

    impl EventData for Lent {
        const TYPE: &'static str = "Lent";
    }

    #[derive(Serialize)]
    struct Returned;

    impl EventData for Returned {
        const TYPE: &'static str = "Returned";
    }

    fn write(table: TableName, key: Key) -> Write {
        Write {
            table,
            key,
            key_is_personal: false,
            action: WriteAction::Delete,
            condition: None,
            on_condition_failed: OnConditionFailed::Retry,
        }
    }

    /// A part that writes the item of a customer first, and then these loans.
    fn of_loans(loans: &[&str]) -> Effects {
        let keys = ["ann"].iter().chain(loans);
        Effects::none().writes_of(keys.map(|pk| write(LOANS, Key::new(pk))))
    }

    fn lent(aggregate: &str) -> Event {
        Event::about(aggregate, &Lent { copies: 1 })
    }

    fn labels_of(parts: &[Effects]) -> Vec<String> {
        let mut labels = PartLabels::default();
        parts.iter().map(|part| labels.label_of(part)).collect()
    }

    #[test]
    fn parts_that_differ_in_an_item_an_event_or_only_their_place_have_different_labels() {
        let sorted = |pk: &str, sk: &str| Effects::none().write(write(LOANS, Key::sorted(pk, sk)));
        let handed_over =
            |about: &str| Effects::enqueue_instead_of_commit(Message::new(READERS, lent(about)));
        let parts = [
            Effects::none(),
            of_loans(&["emma"]),
            of_loans(&["dune"]),
            of_loans(&["emma", "dune"]),
            of_loans(&["emma"]),
            of_loans(&["emma"]).event(lent("emma")),
            of_loans(&["emma"]).event(lent("ann")),
            of_loans(&["emma"]).event(Event::about("emma", &Returned)),
            of_loans(&["emma"]).event(lent("emma")).event(lent("ann")),
            Effects::none().write(write(RENEWALS, Key::new("ann"))),
            Effects::none().write(write(LOANS, Key::new("ann"))),
            sorted("a/b", "c"),
            sorted("a", "b/c"),
            handed_over("emma"),
            handed_over("dune"),
            handed_over("emma"),
        ];
        let labels = labels_of(&parts);
        let distinct: HashSet<&String> = labels.iter().collect();
        assert_eq!(distinct.len(), parts.len(), "{labels:#?}");
    }

    #[test]
    fn a_repeated_part_has_its_label_in_any_order_of_the_parts_and_of_their_writes() {
        let parts = || {
            [
                of_loans(&["emma", "ulysses"]).event(lent("emma")),
                of_loans(&["dune"]).event(lent("ann")),
                of_loans(&["dune"]).event(lent("dune")),
            ]
        };
        let first = labels_of(&parts());
        let mut reversed = parts();
        reversed.reverse();
        let mut again = labels_of(&reversed);
        again.reverse();
        assert_eq!(again, first);
        let [.., last] = parts();
        assert_eq!(labels_of(&[last]), first[2..], "the other rows are done");
        let later = Event::about("emma", &Lent { copies: 2 });
        let changed = of_loans(&["ulysses", "emma"]).event(later);
        assert_eq!(labels_of(&[changed]), first[..1], "data and the order of writes do not count");
    }
}
