//! Tables whose key attributes have other names, and partitions with items of several types.

use lifecycle::effects::Write;
use lifecycle::paging::Direction;
use lifecycle::ports::CommitError;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};

use super::commits::{Product, commit, product};
use super::stores::{Stores, VISITS};
use crate::dynamodb::batch_get::gather;
use crate::{Aws, Range};

/// The items of the table, distinguished by `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Visiting {
    Visit { customer: String, at: String, revision: u64 },
    Rating { customer: String, of: String, stars: u8 },
}

impl Record for Visiting {
    const TABLE: TableName = VISITS;
    const VERSION_ATTRIBUTE: &'static str = "revision";

    fn key(&self) -> Key {
        match self {
            Self::Visit { customer, at, .. } => Key::sorted(customer, at),
            Self::Rating { customer, of, .. } => Key::sorted(customer, format!("rating#{of}")),
        }
    }
}

fn visit(day: u8, revision: u64) -> Visiting {
    Visiting::Visit { customer: "ann".to_owned(), at: format!("2026-01-{day:02}"), revision }
}

fn rating(of: &str, stars: u8) -> Visiting {
    Visiting::Rating { customer: "ann".to_owned(), of: of.to_owned(), stars }
}

async fn create(aws: &Aws, all: &[Visiting]) {
    for (number, one) in all.iter().enumerate() {
        commit(aws, &number.to_string(), vec![Write::create(one)]).await.unwrap();
    }
}

async fn found(aws: &Aws, range: &Range) -> Vec<Visiting> {
    let found = aws.table::<Visiting>().load_first_of(range, 3).await.unwrap();
    found.into_iter().map(|found| found.record).collect()
}

#[tokio::test]
async fn a_table_with_other_key_names_is_written_conditionally_and_read() {
    let aws = Stores::start().await.aws;
    create(&aws, &[visit(1, 1)]).await;
    let again = commit(&aws, "again", vec![Write::create(&visit(1, 1))]).await;
    assert!(matches!(again, Err(CommitError::Conditions(_))), "{again:?}");
    for (token, read, replaced) in [("2", 1, true), ("3", 1, false)] {
        let write = vec![Write::replace(&visit(1, 2), read)];
        assert_eq!(commit(&aws, token, write).await.is_ok(), replaced, "{token}");
    }
    let table = aws.table::<Visiting>();
    assert_eq!(table.load(&visit(1, 2).key(), true).await.unwrap(), Some(visit(1, 2)));
    // Two writes are a transaction.
    let both = vec![Write::delete::<Visiting>(visit(1, 2).key()), Write::create(&product("a", 5))];
    commit(&aws, "4", both).await.unwrap();
    create(&aws, &[visit(7, 1)]).await;
    let keys = [visit(1, 2).key(), visit(7, 1).key()];
    let wanted = (aws.table::<Product>().one(Key::new("a")), table.many(keys));
    let read = gather(wanted).await.unwrap();
    assert_eq!(read, (Some(product("a", 5)), vec![None, Some(visit(7, 1))]));
}

#[tokio::test]
async fn a_partition_is_read_by_the_beginning_of_positions_and_between_two() {
    let aws = Stores::start().await.aws;
    let (first, second) = (rating("one", 5), rating("two", 3));
    create(&aws, &[visit(1, 1), visit(2, 1), visit(3, 1), first.clone(), second.clone()]).await;
    let all = || Range::partition("ann");
    let down = Direction::Descending;
    for (range, expected) in [
        (all().ordered(down), vec![second.clone(), first.clone(), visit(3, 1)]),
        (all().starting_with("rating#"), vec![first.clone(), second.clone()]),
        (all().starting_with("rating#").after("rating#one"), vec![second.clone()]),
        (all().starting_with("rating#").after("rating#two"), vec![]),
        (all().starting_with("rating#").after("2026"), vec![first.clone(), second.clone()]),
        (all().starting_with("2026-").after("2026-01-02"), vec![visit(3, 1)]),
        (all().starting_with("2026-").after("2026-01-02").ordered(down), vec![visit(1, 1)]),
        (
            all().starting_with("2026-").after("rating#two").ordered(down),
            vec![visit(3, 1), visit(2, 1), visit(1, 1)],
        ),
        (all().starting_with("none"), vec![]),
        (all().between("2026-01-02", "2026-01-03"), vec![visit(2, 1), visit(3, 1)]),
        (all().between("2026-01-02", "2026-01-31").after("2026-01-02"), vec![visit(3, 1)]),
        (all().between("2026-01-03", "2026-01-02"), vec![]),
        (all().up_to("2026-01-02").after("2026-01-01"), vec![visit(2, 1)]),
    ] {
        assert_eq!(found(&aws, &range).await, expected, "{range:?}");
    }
}
