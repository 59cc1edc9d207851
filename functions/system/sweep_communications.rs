//! On a schedule: closes the audit records of calls whose function ended before the call did.

use std::process::ExitCode;

use domain::communications::UpstreamCall;

pub(crate) fn main() -> ExitCode {
    aws::functions::sweep_calls::<UpstreamCall>()
}
