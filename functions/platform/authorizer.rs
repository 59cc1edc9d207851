//! The authorizer of the HTTP API: verifies access tokens, and says who is asking.

use std::process::ExitCode;

use adapters::{Aws, VERIFICATION_KEYS};
use lifecycle::uses::Use;

fn main() -> ExitCode {
    adapters::authorize(USES, Aws::verifier)
}

const USES: &[Use] = &[Use::Secret(VERIFICATION_KEYS)];
