//! `GET /healthcheck`: whether the system works, by a probe of each dependency.

use aws::VERIFICATION_KEYS;
use aws::functions::HealthCheck;
use domain::resources::{EMAILS, USERS};
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::functions::health::<Store>()
}

struct Store;

impl HealthCheck for Store {
    const DEPENDENCIES: Resources = &[
        Resource::Table(USERS, &[GetItem]),
        Resource::ReadAttributes(EMAILS),
        Resource::Secret(VERIFICATION_KEYS),
    ];
}
