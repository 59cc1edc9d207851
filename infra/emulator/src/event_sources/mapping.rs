//! The common part of all event sources: their function, its runner and the receiver of reports.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::activity::{Activity, Cause};
use crate::functions::{Functions, InvokeError};
use crate::services::Stores;

/// The runner of functions.
pub trait Invoke: Send + Sync {
    /// Invokes a function by its logical id with an event, and waits for its result.
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Bytes,
    ) -> BoxFuture<'a, Result<Bytes, InvokeError>>;

    /// Like [`Invoke::invoke`], with the cause. By default it is not recorded.
    fn invoke_for<'a>(
        &'a self,
        function: &'a str,
        event: Bytes,
        _cause: Cause,
    ) -> BoxFuture<'a, Result<Bytes, InvokeError>> {
        self.invoke(function, event)
    }
}

impl Invoke for Functions {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Bytes,
    ) -> BoxFuture<'a, Result<Bytes, InvokeError>> {
        Box::pin(Self::invoke(self, function, event))
    }

    fn invoke_for<'a>(
        &'a self,
        function: &'a str,
        event: Bytes,
        cause: Cause,
    ) -> BoxFuture<'a, Result<Bytes, InvokeError>> {
        Box::pin(Self::invoke_for(self, function, event, cause))
    }
}

/// Receives the event sources' reports: a function's logical id and a sentence.
pub type Report = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// The common part of all sources: the function, its runner, and the receiver of reports.
#[derive(Clone)]
pub(super) struct Mapping {
    /// The function's logical id.
    pub(super) function: String,
    /// The source's name, unique within the template.
    pub(super) name: String,
    pub(super) stores: Stores,
    pub(super) functions: Arc<dyn Invoke>,
    pub(super) report: Report,
}

impl Mapping {
    pub(super) async fn invoke(&self, event: String, cause: Cause) -> Result<Bytes, InvokeError> {
        self.functions.invoke_for(&self.function, event.into(), cause).await
    }

    /// The records of the platform's events.
    pub(super) fn activity(&self) -> &Activity {
        self.stores.activity()
    }

    /// The time on the platform's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.stores.clock().now()
    }

    pub(super) fn say(&self, sentence: &str) {
        (self.report)(&self.function, sentence);
    }
}
