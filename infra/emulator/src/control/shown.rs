//! The parts of the platform that the control address shows.

use std::path::PathBuf;
use std::sync::Arc;

use sam_template::Template;

use super::telemetry::Telemetry;
use crate::console::{Accounts, LatestCounts};
use crate::event_sources::Schedules;
use crate::functions::Functions;
use crate::gateway::Gateway;
use crate::services::Stores;
use crate::standins::Standins;

/// The parts of the platform that the control address shows.
#[derive(Clone)]
#[non_exhaustive]
pub struct Control {
    /// The template, with all event sources.
    pub template: Arc<Template>,
    /// The gateway.
    pub gateway: Gateway,
    /// The stores.
    pub stores: Stores,
    /// The functions.
    pub functions: Functions,
    /// The stand-ins for third-party services.
    pub standins: Standins,
    /// The schedules of functions.
    pub schedules: Schedules,
    /// The telemetry that the functions emitted.
    pub telemetry: Arc<Telemetry>,
    /// The logical id of the table of circuits, if the application has one.
    pub circuits: Option<&'static str>,
    /// The accounts as which the console sends requests.
    pub(crate) accounts: Arc<Accounts>,
    /// The counts that the console's clients share.
    pub(crate) counts: Arc<LatestCounts>,
    /// The API's own address.
    pub api_url: String,
    /// The API's `OpenAPI` document in JSON, if the application has one.
    pub description: Option<&'static str>,
    /// A file that precedes it.
    pub openapi: Option<PathBuf>,
}
