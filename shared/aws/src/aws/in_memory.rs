//! The configuration of a function under test, on tables in memory.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use lifecycle::ports::Adapter;
use lifecycle::resource::Resource;

use super::{Aws, Inner};
use crate::config::{ConfigError, Configuration};
use crate::linked::Linked;

impl Aws {
    /// For a test: all HTTP goes through the connector, and writes, messages and mail to the adapter.
    pub(crate) fn connect_in_memory(
        resources: &[Resource],
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        connector: &SharedHttpConnector,
        adapter: Arc<dyn Adapter>,
        linked: Linked<Self>,
    ) -> Result<Self, ConfigError> {
        let configuration = Configuration::read(resources, Box::new(environment))?;
        let mut inner = Inner::new(configuration, connector.clone(), linked);
        inner.others = connector.clone().into();
        inner.in_memory = Some(adapter);
        Ok(Self(Arc::new(inner)))
    }
}
