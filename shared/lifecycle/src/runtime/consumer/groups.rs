//! Groups of items that keep their order.

use std::collections::HashMap;
use std::hash::Hash;

/// The items with equal keys together, in their order; the groups are in the order of their first
/// items.
pub(super) fn grouped_by<T, K: Eq + Hash>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Vec<Vec<T>> {
    let (mut groups, mut places) = (Vec::<Vec<T>>::new(), HashMap::new());
    for item in items {
        let place = *places.entry(key(&item)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(item);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_their_items_keep_their_order() {
        let groups = grouped_by(["b1", "a1", "b2", "c1", "a2"], |item| item.as_bytes()[0]);
        assert_eq!(groups, [vec!["b1", "b2"], vec!["a1", "a2"], vec!["c1"]]);
    }
}
