//! A whole consumer, which reads a table and a setting, and commits to the same memory.

use lifecycle::Consumer;
use lifecycle::effects::{EventData, QueueName};
use lifecycle::prelude::*;
use lifecycle::record::{Key, Record, Singleton, TableName};
use lifecycle::testing::{Memory, envelope};
use serde::{Deserialize, Serialize};

use crate::testing::InMemory;
use crate::{Aws, CachedSetting, Table};

const BOOKS: TableName = TableName::new("books");
const SETTINGS: TableName = TableName::new("settings");
const RETURNS: QueueName = QueueName::new("returns");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Book {
    title: String,
    lent: u32,
    version: u64,
}

impl Record for Book {
    const TABLE: TableName = BOOKS;

    fn key(&self) -> Key {
        Key::new(&self.title)
    }
}

/// The number of copies that may be lent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Rules {
    lent_max: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self { lent_max: 2 }
    }
}

impl Record for Rules {
    const TABLE: TableName = SETTINGS;

    fn key(&self) -> Key {
        Self::the_key()
    }
}

impl Singleton for Rules {
    fn the_key() -> Key {
        Key::new("rules")
    }

    fn version(&self) -> u64 {
        0
    }

    fn checked(self) -> Result<Self, FieldErrors> {
        Ok(self)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    title: String,
}

impl EventData for Asked {
    const TYPE: &'static str = "Asked";
}

struct Lend {
    books: Table<Book>,
    rules: CachedSetting<Rules>,
}

fn build(aws: &Aws) -> Lend {
    Lend { books: aws.table(), rules: aws.setting() }
}

impl Consumer for Lend {
    const SOURCE: Source = Source::Queue(RETURNS);
    const RESOURCES: Resources =
        &[Resource::Table(BOOKS, &[GetItem, PutItem]), Resource::Table(SETTINGS, &[GetItem])];
    type Input = Envelope<Asked>;
    type Command = Envelope<Asked>;
    type Facts = (Option<Book>, Rules);

    async fn retrieve(
        &self,
        permit: &Permit<DeliveredMessage>,
        asked: &Envelope<Asked>,
    ) -> Retrieved<(Option<Book>, Rules)> {
        let book = self.books.get(permit, &Key::new(&asked.data.title)).await?;
        Ok((book, self.rules.get(permit).await?))
    }

    fn decide(
        _: &Moment,
        _: &Envelope<Asked>,
        (book, rules): (Option<Book>, Rules),
    ) -> Result<Effects, DomainError> {
        let lent = book.filter(|book| book.lent < rules.lent_max);
        Ok(Effects::none().writes_of(lent.map(|book| {
            let version = book.version;
            Write::replace(&Book { lent: book.lent + 1, version: version + 1, ..book }, version)
        })))
    }
}

/// Asks four times for a book, and returns how many copies are lent then.
async fn lent_after_four(memory: &Memory) -> u32 {
    let emma = Book { title: "Emma".to_owned(), lent: 0, version: 1 };
    memory.put(&emma);
    let lend = InMemory::new(memory).consumer(build);
    for number in 0..4 {
        let asked = Asked { title: "Emma".to_owned() };
        let event = envelope(&format!("event-{number}"), "Emma", &asked);
        assert!(lend.messages(&[event]).await.failed.is_empty());
    }
    memory.get::<Book>(&emma.key()).unwrap().lent
}

#[tokio::test]
async fn a_consumer_reads_the_items_of_earlier_commits() {
    assert_eq!(lent_after_four(&Memory::new()).await, 2, "by the default rules");
}

#[tokio::test]
async fn a_setting_has_the_value_that_the_test_has_stored() {
    let memory = Memory::new();
    memory.put(&Rules { lent_max: 3 });
    assert_eq!(lent_after_four(&memory).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_decided_again_from_the_memory() {
    let memory = Memory::new();
    memory.conflict(2);
    assert_eq!(lent_after_four(&memory).await, 2);
}
