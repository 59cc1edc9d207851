//! The calls of the ports that one function makes. The code of the others is not linked.
//!
//! The lifecycle reaches an adapter through `dyn Adapter`, whose table of methods would link every
//! call, with its client, into every function. So the methods go through these values. They are
//! constants that follow from the constants of the function; a call that is `None` there is
//! mentioned nowhere in the program.

use async_trait::async_trait;
use futures::future::BoxFuture;
use lifecycle::ServiceError;
use lifecycle::effects::{Mail, QueueName};
use lifecycle::ports::{
    CommitError, Count, Counter, DeadLetter, Outgoing, Transaction, VisibilityChange,
};
use lifecycle::resource::Needs;

type Commit<A> = for<'a> fn(&'a A, &'a Transaction) -> BoxFuture<'a, Result<(), CommitError>>;
type CountCall<A> = for<'a> fn(&'a A, &'a Counter) -> BoxFuture<'a, Result<Count, ServiceError>>;

/// The calls that one function makes by an adapter.
pub(crate) struct Linked<A: 'static> {
    pub(crate) commit: Option<Commit<A>>,
    pub(crate) count: Option<CountCall<A>>,
    pub(crate) queues: Option<&'static dyn QueueCalls<A>>,
    pub(crate) mail: Option<&'static dyn MailCalls<A>>,
}

// A derived `Clone` or `Copy` would need an adapter that can be copied.
impl<A: 'static> Clone for Linked<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: 'static> Copy for Linked<A> {}

impl<A: 'static> Linked<A> {
    /// Keeps the calls that a function needs.
    pub(crate) const fn only(self, needs: Needs) -> Self {
        Self {
            commit: if needs.commits { self.commit } else { None },
            count: if needs.counts { self.count } else { None },
            queues: if needs.queues { self.queues } else { None },
            mail: if needs.mail { self.mail } else { None },
        }
    }

    pub(crate) fn commit(self) -> Result<Commit<A>, CommitError> {
        self.commit.ok_or_else(|| CommitError::ServiceError(undeclared("write")))
    }

    pub(crate) fn count(self) -> Result<CountCall<A>, ServiceError> {
        self.count.ok_or_else(|| undeclared("count"))
    }

    pub(crate) fn queues(self) -> Result<&'static dyn QueueCalls<A>, ServiceError> {
        self.queues.ok_or_else(|| undeclared("queue"))
    }

    pub(crate) fn mail(self) -> Result<&'static dyn MailCalls<A>, ServiceError> {
        self.mail.ok_or_else(|| undeclared("mail"))
    }
}

fn undeclared(what: &str) -> ServiceError {
    ServiceError::internal(format!("the function declares no {what}, so its code is not linked"))
}

/// The calls of functions that use queues.
#[async_trait]
pub(crate) trait QueueCalls<A>: Sync {
    /// Makes the client.
    fn connect(&self, adapter: &A);

    async fn send(&self, adapter: &A, messages: &[Outgoing]) -> Vec<(usize, ServiceError)>;

    async fn change_visibility(
        &self,
        adapter: &A,
        queue: QueueName,
        hidden: &[VisibilityChange],
    ) -> Result<(), ServiceError>;

    async fn dead_letter(&self, adapter: &A, letter: &DeadLetter) -> Result<(), ServiceError>;
}

/// The calls of functions that send mail.
#[async_trait]
pub(crate) trait MailCalls<A>: Sync {
    /// Makes the client.
    fn connect(&self, adapter: &A);

    async fn mail(&self, adapter: &A, mail: &Mail) -> Result<(), ServiceError>;
}
