//! Workloads: the operations of people, partners, attackers and operators.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::client::Client;
use crate::Millis;
use crate::random::{Random, Seeded};

/// A plan of operations, and how each is performed.
///
/// The plan is drawn before the run, and each operation has separate random numbers. A shrunk
/// workload therefore leaves operations out without changing the others.
pub trait Workload: Send + Sync + 'static {
    /// One operation: a value with everything about it. Its debug form is printed.
    type Operation: Debug + Send + Sync + 'static;

    /// The operations with their times.
    fn plan(&self, random: &mut Seeded) -> Vec<Planned<Self::Operation>>;

    /// Performs an operation. The client draws think times and other choices.
    fn perform(
        &self,
        client: Client,
        operation: &Self::Operation,
    ) -> impl Future<Output = ()> + Send;
}

/// An operation of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned<O> {
    /// When it begins, from the beginning of the run, or for a probe from the time of rest.
    pub after: Millis,
    /// The operation.
    pub operation: O,
}

impl<O> Planned<O> {
    /// An operation that begins after this time.
    pub fn after(after: Millis, operation: O) -> Self {
        Self { after, operation }
    }

    /// An operation that begins at a drawn time of the first `within`.
    pub fn within(within: Millis, random: &mut impl Random, operation: O) -> Self {
        Self { after: random.up_to(within), operation }
    }
}

/// A workload whose operations have no type.
pub(super) trait AnyWorkload: Send + Sync {
    fn plan(self: Arc<Self>, random: &mut Seeded) -> Vec<Step>;
}

/// An operation that can be performed once.
pub(super) struct Step {
    pub(super) after: Millis,
    pub(super) text: String,
    pub(super) perform: Perform,
}

/// Performs an operation with a client.
pub(super) type Perform =
    Box<dyn FnOnce(Client) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

impl<W: Workload> AnyWorkload for W {
    fn plan(self: Arc<Self>, random: &mut Seeded) -> Vec<Step> {
        let planned = Workload::plan(&*self, random);
        let step = |Planned { after, operation }| {
            let text = format!("{operation:?}");
            let workload = Arc::clone(&self);
            let perform: Perform = Box::new(move |client| {
                Box::pin(async move { workload.perform(client, &operation).await })
            });
            Step { after, text, perform }
        };
        planned.into_iter().map(step).collect()
    }
}
