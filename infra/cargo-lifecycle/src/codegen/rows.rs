//! The order in which functions are deployed: in rows, each function after the one before it.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;

/// The number of rows, and so of functions that are deployed at once.
const ROWS: usize = 6;

/// The function that each function waits for.
///
/// `functions` have the template's order, each with the function that it has waited for until now.
/// Functions keep their places, so that a new one changes no other's: it ends the shortest row.
pub(super) fn of(functions: &[(String, Option<String>)]) -> BTreeMap<String, String> {
    let known: BTreeSet<&str> = functions.iter().map(|(function, _)| function.as_str()).collect();
    let mut next: BTreeMap<&str, &str> = BTreeMap::new();
    let mut heads = Vec::new();
    for (function, awaited) in functions {
        match awaited.as_deref().filter(|awaited| known.contains(awaited)) {
            Some(awaited) if !next.contains_key(awaited) => {
                next.insert(awaited, function);
            }
            _ => heads.push(function.as_str()),
        }
    }
    // A new function awaits none and is not awaited, so it comes last here.
    heads.sort_by_key(|head| !next.contains_key(head));
    heads.truncate(ROWS);
    let row = heads.iter().map(|head| {
        successors(Some(*head), |function| next.get(*function).copied()).collect::<Vec<&str>>()
    });
    let mut rows: Vec<Vec<&str>> = row.collect();
    let placed: BTreeSet<&str> = rows.iter().flatten().copied().collect();
    for function in functions.iter().map(|(function, _)| function.as_str()) {
        let shortest = rows.iter_mut().min_by_key(|row| row.len());
        if let Some(shortest) = shortest.filter(|_| !placed.contains(function)) {
            shortest.push(function);
        }
    }
    let pairs = rows.iter().flat_map(|row| row.windows(2));
    pairs.map(|pair| (pair[1].to_owned(), pair[0].to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Functions with short names: `b<a` waits for `a`.
    fn rows(functions: &str) -> BTreeMap<String, String> {
        let function = |it: &str| match it.split_once('<') {
            Some((function, awaited)) => (function.to_owned(), Some(awaited.to_owned())),
            None => (it.to_owned(), None),
        };
        of(&functions.split(' ').map(function).collect::<Vec<_>>())
    }

    fn waits(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
    }

    #[test]
    fn functions_keep_their_places_and_a_new_one_ends_the_shortest_row() {
        let mut known = waits(&[
            ("g", "a"),
            ("h", "b"),
            ("i", "c"),
            ("j", "d"),
            ("k", "e"),
            ("l", "f"),
            ("m", "g"),
        ]);
        assert_eq!(rows("a b c d e f g<a h<b i<c j<d k<e l<f m<g"), known);
        known.insert("x".to_owned(), "h".to_owned());
        assert_eq!(rows("a x b c d e f g<a h<b i<c j<d k<e l<f m<g"), known);
    }

    #[test]
    fn the_follower_of_a_removed_function_keeps_its_row() {
        assert_eq!(rows("b c d e f g<a"), waits(&[]));
        assert_eq!(rows("a b c d e f h<g"), waits(&[("h", "a")]));
    }

    #[test]
    fn two_functions_never_wait_for_the_same_one_and_none_for_itself() {
        assert_eq!(rows("a b c d e f g<a h<a"), waits(&[("g", "a"), ("h", "b")]));
        assert_eq!(rows("a b c d e f g<g"), waits(&[("g", "a")]));
    }
}
