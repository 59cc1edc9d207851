//! `GET /healthcheck`: whether the library works, by a probe of each dependency.

use aws::functions::HealthCheck;
use lifecycle::prelude::*;
use loans::resources::{BOOKS, LOAN_EVENTS};

pub(crate) fn main() -> ExitCode {
    aws::functions::health::<Library>()
}

struct Library;

impl HealthCheck for Library {
    const DEPENDENCIES: Resources =
        &[Resource::Table(BOOKS, &[GetItem]), Resource::ReadAttributes(LOAN_EVENTS)];
}
