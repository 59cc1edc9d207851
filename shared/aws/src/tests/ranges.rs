//! Records in the order of their positions.

use lifecycle::effects::Write;
use lifecycle::paging::Direction;
use lifecycle::record::{IndexKey, IndexName, Key, Record, TableName};
use serde::{Deserialize, Serialize};

use super::commits::commit;
use super::stores::{OUTBOX, PRODUCTS, Stores};
use crate::{Aws, Range};

const BY_CREATION: IndexName = IndexName::new("by_creation");

/// A record that is in the index unless `listed` is false.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Creation {
    number: u32,
    listed: bool,
    /// Padding that makes a response exceed 1 MB.
    content: String,
}

impl Record for Creation {
    const TABLE: TableName = PRODUCTS;

    fn key(&self) -> Key {
        Key::new(self.number)
    }

    fn indexed(&self) -> Vec<IndexKey> {
        let place = || IndexKey::sharded(BY_CREATION, self.number, position(self.number));
        self.listed.then(place).into_iter().collect()
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    order: String,
    number: u32,
}

impl Record for Line {
    const TABLE: TableName = OUTBOX;

    fn key(&self) -> Key {
        Key::sorted(&self.order, position(self.number))
    }
}

fn position(number: u32) -> String {
    format!("2026-01-01#{number:03}")
}

fn creation(number: u32) -> Creation {
    Creation { number, listed: true, content: String::new() }
}

async fn create(aws: &Aws, creations: impl IntoIterator<Item = Creation>) {
    let writes: Vec<_> = creations.into_iter().map(|creation| Write::put(&creation)).collect();
    for (number, writes) in writes.chunks(8).enumerate() {
        commit(aws, &number.to_string(), writes.to_vec()).await.unwrap();
    }
}

async fn numbers(aws: &Aws, range: &Range, count_max: usize) -> Vec<u32> {
    let found = aws.table::<Creation>().load_first_of(range, count_max).await.unwrap();
    assert!(found.iter().all(|found| found.position == position(found.record.number)));
    found.into_iter().map(|found| found.record.number).collect()
}

#[tokio::test]
async fn a_range_is_bounded_sorted_and_cut_over_all_partitions() {
    let aws = Stores::start().await.aws;
    create(&aws, (0..40).map(creation)).await;
    let (up, down) = (Direction::Ascending, Direction::Descending);
    let all = || Range::sharded(BY_CREATION);
    for (range, count_max, expected) in [
        (all(), 100, (0..40).collect::<Vec<_>>()),
        (all(), 3, vec![0, 1, 2]),
        (all().ordered(down), 3, vec![39, 38, 37]),
        (all().ordered(up).after(position(7)), 3, vec![8, 9, 10]),
        (all().ordered(down).after(position(2)), 3, vec![1, 0]),
        (all().up_to(position(2)), 100, vec![0, 1, 2]),
        (all().ordered(down).up_to(position(38)), 100, vec![39, 38]),
        (all().after(position(39)), 100, vec![]),
        (all(), 0, vec![]),
    ] {
        assert_eq!(numbers(&aws, &range, count_max).await, expected, "{range:?}");
    }
}

#[tokio::test]
async fn a_record_removed_from_an_index_is_not_found_there() {
    let aws = Stores::start().await.aws;
    create(&aws, (0..3).map(creation)).await;
    create(&aws, [Creation { listed: false, ..creation(1) }]).await;
    assert_eq!(numbers(&aws, &Range::sharded(BY_CREATION), 10).await, [0, 2]);
}

#[tokio::test]
async fn a_query_continues_after_a_response_that_ends_early() {
    let aws = Stores::start().await.aws;
    // Together more than the 1 MB of one response.
    let content = "x".repeat(300_000);
    create(&aws, (0..24).map(|number| Creation { content: content.clone(), ..creation(number) }))
        .await;
    let expected: Vec<_> = (0..24).collect();
    assert_eq!(numbers(&aws, &Range::sharded(BY_CREATION), 100).await, expected);
}

/// An item of the index that a later version wrote.
#[derive(Debug, Serialize, Deserialize)]
struct LaterCreation {
    id: u32,
}

impl Record for LaterCreation {
    const TABLE: TableName = PRODUCTS;

    fn key(&self) -> Key {
        Key::new(self.id)
    }

    fn indexed(&self) -> Vec<IndexKey> {
        vec![IndexKey::sharded(BY_CREATION, self.id, position(self.id))]
    }
}

#[tokio::test]
async fn an_unreadable_record_is_skipped_and_readable_ones_fill_the_page() {
    let aws = Stores::start().await.aws;
    create(&aws, (0..20).map(creation)).await;
    for id in 3..9 {
        let later = vec![Write::put(&LaterCreation { id })];
        commit(&aws, &format!("later-{id}"), later).await.unwrap();
    }
    let all = || Range::sharded(BY_CREATION);
    let down = || all().ordered(Direction::Descending);
    assert_eq!(numbers(&aws, &all(), 5).await, [0, 1, 2, 9, 10]);
    assert_eq!(numbers(&aws, &all().after(position(2)), 2).await, [9, 10]);
    assert_eq!(numbers(&aws, &down().after(position(10)), 100).await, [9, 2, 1, 0]);
    assert_eq!(numbers(&aws, &all().up_to(position(9)), 100).await, [0, 1, 2, 9]);
}

#[tokio::test]
async fn one_partition_of_a_table_is_read_by_its_sort_key() {
    let aws = Stores::start().await.aws;
    for (order, number) in [("a", 1), ("a", 2), ("a", 3), ("b", 4)] {
        let line = Line { order: order.to_owned(), number };
        commit(&aws, &number.to_string(), vec![Write::create(&line)]).await.unwrap();
    }
    let range = Range::partition("a").ordered(Direction::Descending).after(position(3));
    let found = aws.table::<Line>().load_first_of(&range, 10).await.unwrap();
    let numbers: Vec<_> = found.iter().map(|found| found.record.number).collect();
    assert_eq!(numbers, [2, 1]);
}

#[tokio::test]
async fn a_partition_or_a_limit_that_no_key_can_be_is_no_fault() {
    let aws = Stores::start().await.aws;
    for number in 1..=3 {
        let line = Line { order: "a".to_owned(), number };
        commit(&aws, &number.to_string(), vec![Write::create(&line)]).await.unwrap();
    }
    let (up, down) = (Direction::Ascending, Direction::Descending);
    let all = |direction| Range::partition("a").ordered(direction);
    // Behind the second position.
    let long = position(2) + &"x".repeat(1024);
    for (range, expected) in [
        (Range::partition(""), vec![]),
        (Range::partition("x".repeat(2049)), vec![]),
        (all(up).after(""), vec![1, 2, 3]),
        (all(down).after(""), vec![]),
        (all(up).up_to(""), vec![]),
        (all(down).up_to(""), vec![3, 2, 1]),
        (all(up).between("", position(2)), vec![1, 2]),
        (all(down).between("", position(2)), vec![2, 1]),
        (all(up).between("", ""), vec![]),
        (all(up).after(&long), vec![3]),
        (all(down).after(&long), vec![2, 1]),
        (all(up).up_to(&long), vec![1, 2]),
        (all(down).up_to(&long), vec![3]),
        (all(up).between(&long, "3"), vec![3]),
        (all(down).between(&long, "3"), vec![3]),
        (all(up).between(position(1), &long).after(position(1)), vec![2]),
        (all(down).between(position(1), &long), vec![2, 1]),
        (all(up).starting_with(&long), vec![]),
        (all(down).starting_with("2026").after(&long), vec![2, 1]),
    ] {
        let found = aws.table::<Line>().load_first_of(&range, 10).await.unwrap();
        let numbers: Vec<_> = found.iter().map(|found| found.record.number).collect();
        assert_eq!(numbers, expected, "{range:?}");
    }
    for partition in [String::new(), "x".repeat(2049)] {
        let of_index = Range::of(BY_CREATION, partition);
        assert_eq!(numbers(&aws, &of_index, 10).await, Vec::<u32>::new());
    }
}
