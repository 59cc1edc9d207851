//! The authorizer of the HTTP API: verifies access tokens, and returns the caller's identity.

use std::process::ExitCode;

use aws::{Aws, VERIFICATION_KEYS};
use lifecycle::resource::Resource;

fn main() -> ExitCode {
    aws::authorize(RESOURCES, Aws::verifier)
}

const RESOURCES: &[Resource] = &[Resource::Secret(VERIFICATION_KEYS)];
