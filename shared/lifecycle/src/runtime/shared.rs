//! The state that all requests of a process share.

use std::sync::Arc;

use super::settings::Settings;
use crate::limit::Limiter;
use crate::ports::Adapter;

/// The state that all requests of a process share.
pub(crate) struct Shared {
    pub(super) settings: Settings,
    pub(super) adapter: Arc<dyn Adapter>,
    pub(super) limiter: Limiter,
}

impl Shared {
    pub(super) fn new(settings: Settings, adapter: Arc<dyn Adapter>) -> Self {
        let limiter = Limiter::new(&settings.service);
        Self { settings, adapter, limiter }
    }
}
