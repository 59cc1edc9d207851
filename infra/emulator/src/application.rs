//! The parts that an application adds to the platform that emulates its template.

use std::error::Error;
use std::future::ready;
use std::io;

use crate::account::Account;
use crate::services::Stores;
use crate::standins::Standins;

/// Any error of an application.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The parts that an application adds to the platform that emulates its template. Each has a
/// default, as [`NoApplication`] shows.
pub trait Application: Send + Sync {
    /// Starts the stand-ins for third-party services. By default there are none.
    fn standins(&self) -> impl Future<Output = io::Result<Standins>> + Send {
        ready(Ok(Standins::default()))
    }

    /// Writes the data that the platform begins with; with `demo`, also the demo's. By default
    /// there are none.
    ///
    /// # Errors
    /// If the stores reject it; the platform then does not start.
    fn seed(
        &self,
        _stores: &Stores,
        _demo: bool,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        ready(Ok(()))
    }

    /// The logical id of the table in which circuit breakers keep their circuits, if it has one. The
    /// console shows its items. By default none.
    fn circuits(&self) -> Option<&'static str> {
        None
    }

    /// The event types and the functions whose effects undo earlier ones, such as `OrderTimedOut`.
    /// The journeys of requests show them as compensation. By default there are none.
    fn compensations(&self) -> &'static [&'static str] {
        &[]
    }

    /// The accounts as which the console can send requests; `demo` as of [`seed`](Self::seed). By
    /// default there are none.
    fn accounts(&self, _demo: bool) -> Vec<Account> {
        Vec::new()
    }

    /// The API's `OpenAPI` document in JSON, which the control address shows. By default none.
    fn description(&self) -> Option<&'static str> {
        None
    }
}

/// No application: the platform has only the resources of the template.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoApplication;

impl Application for NoApplication {}
