//! The common part of all event sources.

use std::sync::{Arc, Mutex};

use serde_json::Value as Json;

use crate::random::Seeded;
use crate::world::faults::Fault;
use crate::world::lambda::{InvokeError, Lambda};
use crate::world::state::{World, lock};
use crate::world::trace::{Cause, Happened};

/// A source and its function.
pub(super) struct Mapping {
    pub(super) world: Arc<World>,
    pub(super) lambda: Arc<Lambda>,
    /// The logical id of the function.
    pub(super) function: String,
    /// The name of the source.
    pub(super) name: String,
    random: Mutex<Seeded>,
}

impl Mapping {
    pub(super) fn new(
        world: &Arc<World>,
        lambda: &Arc<Lambda>,
        function: &str,
        name: String,
    ) -> Self {
        Self {
            world: Arc::clone(world),
            lambda: Arc::clone(lambda),
            function: function.to_owned(),
            random: Mutex::new(world.streams.of(&format!("source {name}"))),
            name,
        }
    }

    pub(super) async fn invoke(&self, event: &Json, cause: Cause) -> Result<Json, InvokeError> {
        self.lambda.invoke(&self.function, event, cause).await
    }

    pub(super) fn draws(&self, fault: Fault) -> bool {
        self.world.draws(fault, &self.name, &mut *lock(&self.random))
    }

    pub(super) fn draw<T>(&self, draw: impl FnOnce(&mut Seeded) -> T) -> T {
        draw(&mut lock(&self.random))
    }

    pub(super) fn record_failed(&self, items: Vec<String>, reason: &str) {
        let (source, function) = (self.name.clone(), self.function.clone());
        let reason = reason.to_owned();
        self.world.record(Happened::BatchFailed { source, function, items, reason });
    }

    pub(super) fn record_given_up(&self, items: Vec<String>, reason: &str) {
        let (source, function) = (self.name.clone(), self.function.clone());
        let reason = reason.to_owned();
        self.world.record(Happened::GivenUp { source, function, items, reason });
    }
}
