//! Endpoints and consumers in the process of a test (feature `testing`).
//!
//! A [`Memory`] has the tables, queues and mail. [`endpoint()`] and [`consumer()`] run the stages on
//! it, with commits, idempotency keys, inbox and outbox as on AWS, and without Lambda, network or
//! process. Time and ids are fixed. [`permit`] is for a test of stage 6 alone.
//! `aws::testing` runs functions whose stage 6 reads through the crate `aws`. [`simulated`] starts
//! whole functions by their `main`, for simulations of a service.
//!
//! Enable the feature for tests only, since a [`Permit`] can be made with it:
//!
//! ```toml
//! [dev-dependencies]
//! lifecycle = { version = "…", features = ["testing"] }
//! ```
//!
//! # An endpoint
//!
//! ```
//! use std::sync::Arc;
//!
//! use lifecycle::Endpoint;
//! use lifecycle::effects::EventData;
//! use lifecycle::ports::Store;
//! use lifecycle::prelude::*;
//! use lifecycle::record::{Key, Record, TableName};
//! use lifecycle::testing::{self, Memory, Request};
//!
//! const BOOKS: TableName = TableName::new("books");
//!
//! #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! struct Book {
//!     title: String,
//!     version: u64,
//! }
//!
//! impl Record for Book {
//!     const TABLE: TableName = BOOKS;
//!     fn key(&self) -> Key {
//!         Key::new(&self.title)
//!     }
//! }
//!
//! #[derive(serde::Serialize)]
//! struct Borrowed;
//!
//! impl EventData for Borrowed {
//!     const TYPE: &'static str = "Borrowed";
//! }
//!
//! #[derive(Debug, eserde::Deserialize, schemars::JsonSchema)]
//! struct Title {
//!     title: String,
//! }
//!
//! struct PostLoan {
//!     store: Arc<dyn Store>,
//! }
//!
//! impl Endpoint for PostLoan {
//!     const ROUTE: Route = Route::post("/loans");
//!     type Caller = Anyone;
//!     const ACCESS: Access<NoRole> = Access::Public;
//!     const LIMIT: Limit = Limit::OFF;
//!     const IDEMPOTENCY: Idempotency = Idempotency::Accepted;
//!     const RESOURCES: Resources =
//!         &[Resource::Table(BOOKS, &[GetItem, PutItem]), Resource::Outbox];
//!     type Input = Json<Title>;
//!     type Command = Title;
//!     type Facts = Book;
//!
//!     async fn retrieve(&self, _: &Permit<Anyone>, wanted: &Title) -> Retrieved<Book> {
//!         let book = self.store.read(BOOKS, &Key::new(&wanted.title)).await?;
//!         Book::of_item(book.ok_or(RetrieveError::NotFound)?).map_err(RetrieveError::internal)
//!     }
//!
//!     const ALLOW: Allow<Self> = Allow::Always;
//!     const CONDITIONS: Conditions<Book> = Conditions::Untagged;
//!     type Outcome = Book;
//!
//!     fn decide(_: &Moment, _: &Anyone, _: &Title, book: Book) -> Result<Book, DomainError> {
//!         Ok(Book { version: book.version + 1, ..book })
//!     }
//!
//!     fn effects(book: &Book) -> Effects {
//!         Effects::none()
//!             .write(Write::replace(book, book.version - 1))
//!             .event(Event::about(&book.title, &Borrowed))
//!     }
//!
//!     type Reply = reply::Ok<Book>;
//!
//!     fn reply(book: Book) -> reply::Ok<Book> {
//!         reply::Ok::of(book)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let memory = Memory::new();
//! memory.put(&Book { title: "Emma".to_owned(), version: 1 });
//! let post_loan = testing::endpoint(PostLoan { store: Arc::new(memory.clone()) }, &memory);
//!
//! let request = Request::new()
//!     .json(&serde_json::json!({ "title": "Emma" }))
//!     .header("idempotency-key", "k-1");
//! let answer = post_loan.ask(&request).await;
//! assert_eq!(answer.status, 200);
//! assert_eq!(answer.json()["data"]["version"], 2);
//! assert_eq!(memory.get::<Book>(&Key::new("Emma")).unwrap().version, 2);
//! assert_eq!(memory.outbox()[0].event_type, "Borrowed");
//!
//! // The same key again: the stored response, and no second commit.
//! let again = post_loan.ask(&request).await;
//! assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
//! assert_eq!(memory.commits().len(), 1);
//! # }
//! ```
//!
//! # A consumer
//!
//! ```
//! use lifecycle::Consumer;
//! use lifecycle::effects::{EventData, Mail, QueueName};
//! use lifecycle::prelude::*;
//! use lifecycle::testing::{self, Memory};
//!
//! const REMINDERS: QueueName = QueueName::new("reminders");
//!
//! #[derive(Debug, serde::Serialize, serde::Deserialize)]
//! struct Overdue {
//!     email: String,
//! }
//!
//! impl EventData for Overdue {
//!     const TYPE: &'static str = "Overdue";
//! }
//!
//! struct Remind;
//!
//! impl Consumer for Remind {
//!     const SOURCE: Source = Source::Queue(REMINDERS);
//!     const RESOURCES: Resources = &[Resource::Mail];
//!     type Input = Envelope<Overdue>;
//!     type Command = Envelope<Overdue>;
//!     type Facts = ();
//!
//!     async fn retrieve(
//!         &self,
//!         _: &Permit<DeliveredMessage>,
//!         _: &Envelope<Overdue>,
//!     ) -> Retrieved<()> {
//!         Ok(())
//!     }
//!
//!     fn decide(
//!         moment: &Moment,
//!         overdue: &Envelope<Overdue>,
//!         (): (),
//!     ) -> Result<Effects, DomainError> {
//!         Ok(Effects::none().mail(Mail {
//!             id: moment.id("mail").to_string(),
//!             to: overdue.data.email.clone(),
//!             subject: "Your book is overdue".to_owned(),
//!             text: "Please return it.".to_owned(),
//!         }))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let memory = Memory::new();
//! let remind = testing::consumer(Remind, &memory);
//! let overdue = testing::envelope("event-1", "loan-1", &Overdue { email: "a@b.example".into() });
//!
//! assert!(remind.messages(&[&overdue]).await.failed.is_empty());
//! assert!(remind.messages(&[&overdue]).await.failed.is_empty());
//! assert_eq!(memory.mails().len(), 1, "two deliveries, one effect");
//! # }
//! ```

mod consumer;
mod endpoint;
mod given;
mod memory;
mod request;
pub mod simulated;

use std::time::Duration;

use serde_json::Value;

pub use self::consumer::{Consumed, TestedConsumer};
pub use self::endpoint::{Answer, TestedEndpoint};
use self::given::Given;
pub use self::memory::Memory;
pub use self::request::Request;
use crate::consumer::Consumer;
use crate::effects::{Event, EventData};
use crate::endpoint::Endpoint;
use crate::envelope::Envelope;
use crate::resource::Resource;
use crate::{Deadline, Moment, Permit, describe};

/// Runs an endpoint on a memory.
pub fn endpoint<E: Endpoint>(endpoint: E, memory: &Memory) -> TestedEndpoint<E> {
    TestedEndpoint::new(endpoint, memory)
}

/// Runs a consumer on a memory.
pub fn consumer<C: Consumer>(consumer: C, memory: &Memory) -> TestedConsumer<C> {
    TestedConsumer::new(consumer, memory)
}

/// Returns the resources that an endpoint's adapter is connected with: the declared ones, and
/// those of the lifecycle on its behalf.
pub fn resources_of_endpoint<E: Endpoint>() -> Vec<Resource> {
    describe::resources_of_endpoint::<E>()
}

/// Returns the resources that a consumer's adapter is connected with, as [`resources_of_endpoint`].
pub fn resources_of_consumer<C: Consumer>() -> Vec<Resource> {
    describe::resources_of_consumer::<C>()
}

/// A permit of this caller, to call stage 6 without the stages before it. It expires in ten
/// seconds.
pub fn permit<C>(caller: C, moment: Moment) -> Permit<C> {
    Permit::new(caller, moment, Deadline::after(Duration::from_secs(10)))
}

/// An event or message as a queue delivers it, with the id that the inbox remembers.
///
/// # Panics
///
/// When the data's `Serialize` fails: a defect of its type.
pub fn envelope<D: EventData>(event_id: &str, aggregate_id: &str, data: &D) -> Envelope<Value> {
    let Event { event_type, version, aggregate_id, data, .. } = Event::about(aggregate_id, data);
    Envelope {
        event_id: event_id.to_owned(),
        event_type: event_type.to_owned(),
        version,
        occurred_at: Given::usual().now,
        aggregate_id,
        request_id: "test".to_owned(),
        traceparent: None,
        tracestate: None,
        data,
    }
}

#[cfg(test)]
mod tests;
