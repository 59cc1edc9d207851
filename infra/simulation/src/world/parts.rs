//! The services and the functions' variables of a simulation, without a world around them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::builder;
use super::simulation::Simulation;
use super::streams::Streams;
use crate::services::Services;

/// The services of a template and the environment variables of its functions: for a check that calls
/// single functions, and has no event sources, faults and workloads.
#[derive(Debug)]
pub struct Parts {
    /// The tables, queues, secrets and permissions.
    pub services: Services,
    /// The environment variables, by the logical id of the function. Each caller of a service has that
    /// id as its name.
    pub variables: BTreeMap<String, Arc<BTreeMap<String, String>>>,
}

impl Simulation {
    /// The services and the variables, each time as at the beginning of a world.
    ///
    /// # Errors
    /// If there is no template, or it has something that is not simulated.
    pub fn parts(&self) -> Result<Parts, String> {
        let template = self.template.as_deref().ok_or("the simulation has no template")?;
        let (services, names) = builder::services(self, template, Streams::new(self.seed))?;
        let settings = builder::functions(self, template, &names)?;
        let variables = settings.into_iter().map(|it| (it.logical_id, it.variables)).collect();
        Ok(Parts { services, variables })
    }
}
