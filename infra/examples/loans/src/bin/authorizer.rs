//! The authorizer of the HTTP API: verifies the access tokens of the outside issuer.

use std::process::ExitCode;

use aws::Aws;

pub(crate) fn main() -> ExitCode {
    aws::authorize(&[], Aws::outside_verifier)
}
