//! The attempts of the SDK at one call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Whether an attempt at a call ended without a definite answer: none at all, a server error, or a
/// success that broke off before its end. `DynamoDB` may have performed it.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts(Arc<AtomicBool>);

impl Attempts {
    /// Whether one of the attempts had no definite answer.
    pub(super) fn have_unknown(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // After a success that was read, the call has ended: nothing depends on this.
        let is_definite = context.response().is_some_and(|it| it.status().is_client_error());
        if !is_definite {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
