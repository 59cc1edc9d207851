//! An execution environment: starts, is invoked, and ends.

use std::sync::Arc;

use super::hosted::Hosted;
use crate::Millis;
use crate::world::network::Wire;
use crate::world::state::World;
use crate::world::trace::Happened;

/// An execution environment. Dropped, its tasks end.
pub(super) struct Environment {
    pub(super) name: String,
    pub(super) hosted: Hosted,
    pub(super) wire: Arc<Wire>,
    pub(super) deployment: u64,
    /// The number of its invocations.
    pub(super) invocations: u64,
    pub(super) idle_since: Millis,
    /// The time that it is kept without an invocation.
    pub(super) idle_max: Millis,
}

impl Environment {
    /// Whether Lambda ends it.
    pub(super) fn is_old(&self, now: Millis) -> bool {
        now.since(self.idle_since) > self.idle_max
    }

    /// Ends it.
    pub(super) fn end(self, world: &World, reason: &str) {
        self.wire.cut();
        let (environment, reason) = (self.name, reason.to_owned());
        world.record(Happened::EnvironmentEnded { environment, reason });
    }
}
