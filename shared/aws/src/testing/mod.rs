//! Functions in the process of a test, built as in their `main` (feature `testing`).
//!
//! [`InMemory`] gives `build` an [`Aws`] that reads from a
//! [`Memory`]: a [`Table`](crate::Table), [`Pages`](crate::Pages), a
//! [`CachedSetting`](crate::CachedSetting), a [`Secret`](crate::Secret). Commits change the same
//! memory. [`lifecycle::testing`] runs the stages.
//!
//! Reads go through the AWS SDK, and no request leaves the process. A query has the order, the pages
//! and the limits of `DynamoDB`. A read that the function does not declare is denied, as by its
//! policy. All reads are consistent. A call that has no form in memory, such as a scan or a write by
//! a client of [`Aws::sdk_config`], is an error that names it. A memory takes a
//! [`Post`](lifecycle::effects::Post) to any upstream, AWS only one to an alert service.
//!
//! Simulations of a whole service start functions by their `main`
//! ([`lifecycle::testing::simulated`]). [`connector()`] answers the HTTP requests of such functions,
//! and nothing else is replaced.
//!
//! ```toml
//! [dev-dependencies]
//! aws = { version = "…", features = ["testing"] }
//! lifecycle = { version = "…", features = ["testing"] }
//! ```
//!
//! ```
//! use aws::testing::InMemory;
//! use aws::{Aws, CURSOR_KEY, Pages, Range};
//! use lifecycle::Query;
//! use lifecycle::prelude::*;
//! use lifecycle::record::{Key, Record, TableName};
//! use lifecycle::resource::Action;
//! use lifecycle::testing::{Memory, Request};
//!
//! const LOANS: TableName = TableName::new("loans").sorted();
//!
//! #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! struct Loan {
//!     book: String,
//!     since: String,
//! }
//!
//! impl Record for Loan {
//!     const TABLE: TableName = LOANS;
//!     fn key(&self) -> Key {
//!         Key::sorted("loans", &self.since)
//!     }
//! }
//!
//! struct ListLoans {
//!     loans: Pages<Loan>,
//! }
//!
//! // `main` is `aws::serve(build)`.
//! fn build(aws: &Aws) -> ListLoans {
//!     ListLoans { loans: aws.pages(ListLoans::ROUTE) }
//! }
//!
//! impl Query for ListLoans {
//!     const ROUTE: Route = Route::get("/loans");
//!     type Caller = Anyone;
//!     const ACCESS: Access<NoRole> = Access::Public;
//!     const RESOURCES: Resources =
//!         &[Resource::Table(LOANS, &[Action::Query]), Resource::Secret(CURSOR_KEY)];
//!     type Input = QueryString<PageQuery>;
//!     type Command = NewestFirst;
//!     type Facts = Page<Loan>;
//!
//!     async fn retrieve(
//!         &self,
//!         permit: &Permit<Anyone>,
//!         NewestFirst(page): &NewestFirst,
//!     ) -> Retrieved<Page<Loan>> {
//!         self.loans.page(permit, Range::partition("loans"), page).await
//!     }
//!
//!     const ALLOW: Allow<Self> = Allow::Always;
//!     type Reply = reply::Ok<Page<Loan>>;
//!
//!     fn reply(page: Page<Loan>) -> reply::Ok<Page<Loan>> {
//!         reply::Ok::of(page)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let memory = Memory::new();
//! for (book, since) in [("Emma", "2026-01-01"), ("Dune", "2026-03-01"), ("Ulysses", "2026-02-01")] {
//!     memory.put(&Loan { book: book.to_owned(), since: since.to_owned() });
//! }
//! let list_loans = InMemory::new(&memory).endpoint(build);
//!
//! let request = Request::new().query("limit", 2);
//! let first = list_loans.ask(&request).await.json();
//! assert_eq!(first["data"][0]["book"], "Dune");
//! assert_eq!(first["data"][1]["book"], "Ulysses");
//! let cursor = first["nextCursor"].as_str().unwrap();
//! let second = list_loans.ask(&request.query("cursor", cursor)).await.json();
//! assert_eq!(second["data"][0]["book"], "Emma");
//! # }
//! ```

mod canonical;
mod connector;
mod dynamodb;
mod environment;
mod refusal;
mod simulated;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use http::{Request, Response};
use lifecycle::resource::Resource;
use lifecycle::testing::{Memory, TestedConsumer, TestedEndpoint};
use lifecycle::testing::{resources_of_consumer, resources_of_endpoint};
use lifecycle::{Consumer, Endpoint, Upstream};
use serde_json::json;

use self::connector::{Respond, Responder};
use self::dynamodb::Tables;
pub use self::simulated::{AsyncRespond, Connector, ConnectorFailure, connector};
pub(crate) use self::simulated::{SimulatedTime, seed_jitter};
use crate::auth::tokens;
use crate::calls::ALL;
use crate::{Aws, CURSOR_KEY, SIGNING_KEYS, VERIFICATION_KEYS};

/// The surroundings of a function under test: a memory, secrets, variables and other hosts.
///
/// These are set unless a test sets others: the secrets [`CURSOR_KEY`], [`SIGNING_KEYS`] and
/// [`VERIFICATION_KEYS`] with fixed keys, the issuer and public URL `https://api.example.com`, and
/// the audience `api`. A declared [`Resource::Variable`] has its own name in lower case.
///
/// A function reads a secret or a [setting](crate::CachedSetting) once, as on AWS. To change one,
/// build the function again.
#[derive(Clone)]
pub struct InMemory {
    memory: Memory,
    secrets: BTreeMap<&'static str, String>,
    variables: BTreeMap<String, String>,
    hosts: BTreeMap<String, Respond>,
}

impl InMemory {
    /// The surroundings with the tables of this memory.
    pub fn new(memory: &Memory) -> Self {
        let pair = tokens::of_tests();
        let verification = json!({ "keys": [pair.verification] });
        Self {
            memory: memory.clone(),
            secrets: BTreeMap::from([
                (CURSOR_KEY, "the cursor key of tests, 32 bytes".to_owned()),
                (SIGNING_KEYS, pair.signing.to_string()),
                (VERIFICATION_KEYS, verification.to_string()),
            ]),
            variables: BTreeMap::new(),
            hosts: BTreeMap::new(),
        }
    }

    /// Sets the text of a secret, by its logical name.
    #[must_use]
    pub fn secret(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.secrets.insert(name, text.into());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Sets the responses of an upstream. A request to an upstream without responses fails.
    ///
    /// The request has its whole URL; it can be asserted, or kept for later.
    ///
    /// ```
    /// # use aws::testing::InMemory;
    /// # use lifecycle::Upstream;
    /// # use lifecycle::testing::Memory;
    /// const PARTNER: Upstream = Upstream::new("partner");
    ///
    /// let surroundings = InMemory::new(&Memory::new()).upstream(PARTNER, |request| {
    ///     assert_eq!(request.uri().path(), "/products");
    ///     http::Response::new(br#"{ "products": [] }"#.to_vec())
    /// });
    /// ```
    #[must_use]
    pub fn upstream<F>(self, upstream: Upstream, respond: F) -> Self
    where
        F: Fn(&Request<Vec<u8>>) -> Response<Vec<u8>> + Send + Sync + 'static,
    {
        self.host(environment::host_of(upstream.name()), respond)
    }

    /// Sets the responses of any other host, such as that of an AWS service whose client a function
    /// makes by [`Aws::sdk_config`].
    #[must_use]
    pub fn host<F>(mut self, host: impl Into<String>, respond: F) -> Self
    where
        F: Fn(&Request<Vec<u8>>) -> Response<Vec<u8>> + Send + Sync + 'static,
    {
        self.hosts.insert(host.into(), Arc::new(respond));
        self
    }

    /// Runs an endpoint that `build` makes, as [`serve`](crate::serve) does.
    ///
    /// # Panics
    ///
    /// As [`InMemory::connect`] and `build`.
    pub fn endpoint<E: Endpoint>(&self, build: impl FnOnce(&Aws) -> E) -> TestedEndpoint<E> {
        let built = build(&self.connect(&resources_of_endpoint::<E>()));
        lifecycle::testing::endpoint(built, &self.memory)
    }

    /// Runs a consumer that `build` makes, as [`consume`](crate::consume) does.
    ///
    /// # Panics
    ///
    /// As [`InMemory::connect`] and `build`.
    pub fn consumer<C: Consumer>(&self, build: impl FnOnce(&Aws) -> C) -> TestedConsumer<C> {
        let built = build(&self.connect(&resources_of_consumer::<C>()));
        lifecycle::testing::consumer(built, &self.memory)
    }

    /// The `Aws` of a function with these resources: for an authorizer's verifier, or for a part of
    /// stage 6 with a [permit](lifecycle::testing::permit).
    ///
    /// # Panics
    ///
    /// When a secret that is read has no text: a defect of the test.
    pub fn connect(&self, resources: &[Resource]) -> Aws {
        for used in resources {
            if let Resource::Secret(name) = used {
                assert!(self.secrets.contains_key(name), "the test sets no text of secret {name}");
            }
        }
        let mut variables = environment::of(resources);
        variables.extend(self.variables.clone());
        let responder = Responder {
            tables: Tables::new(self.memory.clone(), resources),
            secrets: self.secrets.clone(),
            hosts: self.hosts.clone(),
        };
        let connector = SharedHttpConnector::new(responder);
        let adapter = Arc::new(self.memory.clone());
        let environment = move |name: &str| variables.get(name).cloned();
        Aws::connect_in_memory(resources, environment, &connector, adapter, ALL)
            .unwrap_or_else(|error| panic!("the test sets an empty variable: {error}"))
    }
}
