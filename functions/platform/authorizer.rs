//! The authorizer of the HTTP API: verifies access tokens, and returns the caller's identity.

use std::process::ExitCode;

use adapters::{Aws, VERIFICATION_KEYS};
use lifecycle::resource::Resource;

fn main() -> ExitCode {
    adapters::authorize(RESOURCES, Aws::verifier)
}

const RESOURCES: &[Resource] = &[Resource::Secret(VERIFICATION_KEYS)];
