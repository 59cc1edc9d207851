//! The configuration of a simulated function.

use std::sync::Arc;

use lifecycle::error::BoxError;
use lifecycle::resource::Resource;
use lifecycle::testing::simulated::Variables;

use super::{Aws, Inner};
use crate::config::Configuration;
use crate::linked::Linked;
use crate::testing::{Connector, SimulatedTime, seed_jitter};

impl Aws {
    /// For a simulated function: all HTTP goes through the connector of the simulation.
    pub(crate) fn connect_simulated(
        resources: &[Resource],
        variables: Variables,
        linked: Linked<Self>,
    ) -> Result<Self, BoxError> {
        let connector = Connector::current();
        let connector = connector.ok_or("a simulated start needs aws::testing::connector")?;
        seed_jitter();
        let environment = move |name: &str| variables(name);
        let configuration = Configuration::read(resources, Box::new(environment))?;
        let connector = connector.shared();
        let mut inner = Inner::new(configuration, connector.clone(), linked);
        inner.others = connector.into();
        inner.sdk = inner.sdk.to_builder().time_source(SimulatedTime).build();
        inner.is_simulated = true;
        Ok(Self(Arc::new(inner)))
    }
}
