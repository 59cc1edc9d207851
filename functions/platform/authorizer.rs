//! The authorizer of the HTTP API: verifies access tokens, and returns the caller's identity.

use std::process::ExitCode;

use adapters::{Aws, VERIFICATION_KEYS};
use lifecycle::uses::Use;

fn main() -> ExitCode {
    adapters::authorize(USES, Aws::verifier)
}

const USES: &[Use] = &[Use::Secret(VERIFICATION_KEYS)];
