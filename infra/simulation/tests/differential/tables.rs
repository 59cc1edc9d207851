//! Tables: the simulated ones and the embedded `DynamoDB`.

use serde_json::json;
use simulation::Millis;
use simulation::random::Seeded;
use simulation::services::Freedom;

use super::explained::explained;
use super::generator::{Generator, Operation};
use super::normal::Outcome;
use super::pair::Pair;
use super::shrink::shrunk;
use super::streams;
use super::tally::Tally;
use super::{first_seed, operations};

/// The operations on one pair of engines, which begin empty.
const ROUND: usize = 200;

/// A difference: the operation and the outcomes.
fn difference(list: &[Operation]) -> Option<(Operation, Outcome, Outcome)> {
    difference_with(Freedom::none(), list, &mut Tally::default())
}

fn difference_with(
    freedom: Freedom,
    list: &[Operation],
    tally: &mut Tally,
) -> Option<(Operation, Outcome, Outcome)> {
    let mut pair = Pair::new(freedom);
    let contents = ["plain", "pairs"]
        .map(|table| Operation { name: "Scan", request: json!({ "TableName": table }) });
    for (index, operation) in list.iter().chain(&contents).enumerate() {
        let (ours, theirs) = pair.outcomes(operation);
        tally.compared();
        if !ours.is_like(&theirs) {
            match explained(operation, &ours, &theirs) {
                Some(reason) => tally.explained(reason),
                None => return Some((operation.clone(), ours, theirs)),
            }
        }
        let is_write = !matches!(
            operation.name,
            "GetItem" | "Query" | "Scan" | "BatchGetItem" | "TransactGetItems"
        );
        let is_done = |outcome: &Outcome| matches!(outcome, Outcome::Done(_));
        if is_write && is_done(&ours) != is_done(&theirs) {
            // The contents may differ from here on.
            tally.left_out((list.len() + contents.len()) - index - 1);
            return None;
        }
    }
    streams::difference(&mut pair).map(|(ours, theirs)| {
        let operation = Operation { name: "GetRecords", request: json!({}) };
        (operation, Outcome::Done(ours), Outcome::Done(theirs))
    })
}

#[test]
fn simulated_tables_are_like_the_embedded_dynamodb() {
    let rounds = operations().div_ceil(ROUND);
    let mut tally = Tally::default();
    for round in 0..u64::try_from(rounds).unwrap() {
        let seed = first_seed() + round;
        let mut generator = Generator::new(Seeded::new(seed));
        let list: Vec<Operation> = (0..ROUND).map(|_| generator.operation()).collect();
        if difference_with(Freedom::none(), &list, &mut tally).is_none() {
            continue;
        }
        let list = shrunk(list, |list| difference(list).is_some());
        let (operation, ours, theirs) = difference(&list).unwrap();
        let list: Vec<String> =
            list.iter().map(|it| format!("{} {}", it.name, it.request)).collect();
        panic!(
            "seed {seed}: a difference in {} {}\nours: {ours:?}\ntheirs: {theirs:?}\nafter\n{}",
            operation.name,
            operation.request,
            list.join("\n")
        );
    }
    tally.end("tables");
}

#[test]
fn words_are_reserved_as_in_the_embedded_dynamodb() {
    let mut pair = Pair::new(Freedom::none());
    let mut projected = |word: &str| {
        let request = json!({
            "TableName": "plain", "Key": { "pk": { "S": "a" } }, "ProjectionExpression": word,
        });
        let (ours, theirs) = pair.outcomes(&Operation { name: "GetItem", request });
        assert!(ours.is_like(&theirs), "{word}: {ours:?} {theirs:?}");
        matches!(ours, Outcome::Done(_))
    };
    let reserved = include_str!("../../src/services/dynamodb/expression/reserved.txt");
    for word in reserved.split_whitespace() {
        assert!(!projected(word) && !projected(&word.to_lowercase()), "{word}");
        assert!(projected(&format!("{word}_1")), "{word}_1");
    }
}

/// A negative control: an engine with a lag is not like the embedded one.
#[test]
fn a_lag_of_the_simulated_tables_is_a_difference() {
    let mut freedom = Freedom::none();
    freedom.replica_lag_max = Millis::hours(1);
    let mut generator = Generator::new(Seeded::new(1));
    let list: Vec<Operation> = (0..ROUND).map(|_| generator.operation()).collect();

    assert!(difference_with(freedom, &list, &mut Tally::default()).is_some());
}
