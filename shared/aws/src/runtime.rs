//! The entry points that a binary's `main` calls: the lifecycle on AWS.

use std::process::ExitCode;

use lifecycle::error::BoxError;
use lifecycle::resource::{Needs, Resource};
use lifecycle::{Consumer, Endpoint, Rotation, TokenVerifier};

use crate::Aws;
use crate::calls::{ALL, OF_AUTHORIZER};
use crate::linked::Linked;

/// Serves an endpoint until Lambda ends the process.
pub fn serve<E: Endpoint>(build: impl FnOnce(&Aws) -> E) -> ExitCode {
    lifecycle::runtime::endpoint(connect(const { ALL.only(Needs::of_endpoint::<E>()) }), build)
}

/// Serves a consumer until Lambda ends the process.
pub fn consume<C: Consumer>(build: impl FnOnce(&Aws) -> C) -> ExitCode {
    lifecycle::runtime::consumer(connect(const { ALL.only(Needs::of_consumer::<C>()) }), build)
}

/// Serves an authorizer with these resources until Lambda ends the process. An authorizer may read
/// and count; its `Aws` commits and sends nothing.
pub fn authorize<V: TokenVerifier + 'static>(
    resources: &'static [Resource],
    build: impl FnOnce(&Aws) -> V,
) -> ExitCode {
    lifecycle::runtime::authorizer(resources, connect(OF_AUTHORIZER), build)
}

/// Serves the rotation of a secret until Lambda ends the process.
pub fn rotate<R: Rotation>(build: impl FnOnce(&Aws) -> R) -> ExitCode {
    lifecycle::runtime::rotation(connect(const { ALL.only(Needs::of(R::RESOURCES)) }), build)
}

/// Connects a function with the calls that it makes.
fn connect(linked: Linked<Aws>) -> impl Fn(&[Resource]) -> Result<Aws, BoxError> + Send + 'static {
    move |resources| Aws::connect_linked(resources, linked)
}
