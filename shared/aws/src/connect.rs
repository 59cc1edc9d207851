//! The start of a function: its configuration, roots and connector.

use lifecycle::error::BoxError;
use lifecycle::resource::Resource;

use crate::Aws;
use crate::calls::ALL;
use crate::config::Configuration;
use crate::connector;
use crate::linked::Linked;

impl Aws {
    /// Reads the variables that the resources need from the process's environment. Opens no
    /// connection.
    ///
    /// Credentials, region and addresses come from the variables that Lambda sets. The SDK's chain
    /// of providers is not used: its search for profiles, containers and instance metadata costs a
    /// cold start more than all other work of the function.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`](crate::ConfigError) that names every missing variable, an error about the
    /// file that `AWS_CA_BUNDLE` names, or one about [`Resource::Mail`] in a build without this
    /// crate's feature `mail`.
    pub fn connect(resources: &[Resource]) -> Result<Self, BoxError> {
        Self::connect_linked(resources, ALL)
    }

    /// As [`Aws::connect`], for a function that makes only these calls.
    pub(crate) fn connect_linked(
        resources: &[Resource],
        linked: Linked<Self>,
    ) -> Result<Self, BoxError> {
        #[cfg(feature = "testing")]
        if let Some(variables) = lifecycle::testing::simulated::variables() {
            return Self::connect_simulated(resources, variables, linked);
        }
        Self::connect_to(resources, |name| std::env::var(name).ok(), linked)
    }

    /// As [`Aws::connect`], with an environment that the caller provides.
    ///
    /// # Errors
    ///
    /// As [`Aws::connect`].
    pub fn connect_with(
        resources: &[Resource],
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Self, BoxError> {
        Self::connect_to(resources, environment, ALL)
    }

    fn connect_to(
        resources: &[Resource],
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        linked: Linked<Self>,
    ) -> Result<Self, BoxError> {
        if cfg!(not(feature = "mail")) && resources.contains(&Resource::Mail) {
            return Err("mail needs the feature `mail` of the crate `aws`".into());
        }
        let configuration = Configuration::read(resources, Box::new(environment))?;
        let roots = connector::aws_roots(configuration.ca_bundle.as_deref())?;
        Ok(Self::of(configuration, connector::trusting(roots), linked))
    }
}
