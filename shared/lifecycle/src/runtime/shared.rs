//! The state that all requests of a process share.

use std::sync::Arc;

use super::settings::Settings;
use crate::limit::Limiter;
use crate::platform::Platform;

/// The state that all requests of a process share.
pub(crate) struct Shared {
    pub(super) settings: Settings,
    pub(super) platform: Arc<dyn Platform>,
    pub(super) limiter: Limiter,
}

impl Shared {
    pub(super) fn new(settings: Settings, platform: Arc<dyn Platform>) -> Self {
        let limiter = Limiter::new(&settings.service);
        Self { settings, platform, limiter }
    }
}
