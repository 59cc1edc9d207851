//! The state that all requests of a process share.

use std::sync::Arc;

use super::settings::Settings;
use crate::limit::Limiter;
use crate::ports::Adapter;
use crate::telemetry::inspector::Inspector;

/// The state that all requests of a process share.
pub(crate) struct Shared {
    pub(super) settings: Settings,
    pub(super) adapter: Arc<dyn Adapter>,
    pub(super) limiter: Limiter,
    /// The connection to the local platform's console; `None` in every deployment.
    pub(super) inspector: Option<Arc<Inspector>>,
}

impl Shared {
    pub(super) fn new(settings: Settings, adapter: Arc<dyn Adapter>) -> Self {
        let limiter = Limiter::new(&settings.service);
        let inspector = settings.inspector.as_deref().and_then(Inspector::connect);
        Self { settings, adapter, limiter, inspector }
    }
}
