//! The entry points that a binary's `main` calls: the lifecycle on AWS.

use std::process::ExitCode;

use lifecycle::resource::Resource;
use lifecycle::{Consumer, Endpoint, Rotation, TokenVerifier};

use crate::Aws;

/// Serves an endpoint until Lambda ends the process.
pub fn serve<E: Endpoint>(build: impl FnOnce(&Aws) -> E) -> ExitCode {
    lifecycle::runtime::endpoint(Aws::connect, build)
}

/// Serves a consumer until Lambda ends the process.
pub fn consume<C: Consumer>(build: impl FnOnce(&Aws) -> C) -> ExitCode {
    lifecycle::runtime::consumer(Aws::connect, build)
}

/// Serves an authorizer with these resources until Lambda ends the process.
pub fn authorize<V: TokenVerifier + 'static>(
    resources: &'static [Resource],
    build: impl FnOnce(&Aws) -> V,
) -> ExitCode {
    lifecycle::runtime::authorizer(resources, Aws::connect, build)
}

/// Serves the rotation of a secret until Lambda ends the process.
pub fn rotate<R: Rotation>(build: impl FnOnce(&Aws) -> R) -> ExitCode {
    lifecycle::runtime::rotation(Aws::connect, build)
}
