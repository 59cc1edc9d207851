//! The authorizer of the HTTP API: verifies access tokens, and returns the caller's identity.

use aws::{Aws, VERIFICATION_KEYS};
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::authorize(RESOURCES, Aws::verifier)
}

const RESOURCES: Resources = &[Resource::Secret(VERIFICATION_KEYS)];
