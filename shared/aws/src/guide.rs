//! The guide: from the first endpoint to a deployed service.
//!
//! `cargo test --doc` compiles every snippet, and runs each one that needs no AWS.
//!
//! | chapter | contains |
//! |---|---|
//! | [`first_endpoint`] | a whole program, its template and its response |
//! | [`stages`] | the nine stages with their items; parsing into valid types |
//! | [`errors`] | types of errors, statuses, bodies in a service's own shape |
//! | [`tables`] | records, keys, indexes, lists; adding a table; tables with other key names |
//! | [`effects`] | commits, conditions, the outbox, idempotency keys |
//! | [`consumers`] | queues, streams, other events; adding a queue |
//! | [`schedules`] | work at fixed times |
//! | [`authorizers`] | tokens, callers; adding a role; signatures of web hooks |
//! | [`testing`] | tests of values, in the process, on the emulator, in a simulation, against a deployment |
//! | [Simulate your service](https://docs.rs/lambda-simulation/latest/simulation/guide/index.html) | the chapter of the crate `lambda-simulation`: a world with faults that a seed decides, checks, reports |
//! | [`contention`] | stale facts, hot items, hot partitions |
//! | [`deploying`] | the template, also one that exists already; checks, the first stack |
//! | [`environment`](crate::environment) | all environment variables, and the shapes of tables |
//! | [`functions`](crate::functions) | ready-made functions |
//! | [`from_axum`], [`from_powertools`] | for readers who know these |
//! | [`compiler_errors`] | messages, causes and mends |
//! | [`glossary`] | terms |
//!
//! The snippets use these dependencies besides `aws` and `lifecycle`: `eserde`, `schemars`, `serde`
//! with `derive`; `base64`, `hmac` and `sha2` for web hooks; and in tests `serde_json`, `tokio` with
//! `macros` and `rt`, and `aws` and `lifecycle` with `testing`.

pub mod first_endpoint {
    #![doc = include_str!("../guide/first_endpoint.md")]
}

pub mod stages {
    #![doc = include_str!("../guide/stages.md")]
}

pub mod errors {
    #![doc = include_str!("../guide/errors.md")]
}

pub mod tables {
    #![doc = include_str!("../guide/tables.md")]
}

pub mod effects {
    #![doc = include_str!("../guide/effects.md")]
}

pub mod consumers {
    #![doc = include_str!("../guide/consumers.md")]
}

pub mod schedules {
    #![doc = include_str!("../guide/schedules.md")]
}

pub mod authorizers {
    #![doc = include_str!("../guide/authorizers.md")]
}

pub mod testing {
    #![doc = include_str!("../guide/testing.md")]
}

pub mod contention {
    #![doc = include_str!("../guide/contention.md")]
}

pub mod deploying {
    #![doc = include_str!("../guide/deploying.md")]
}

pub mod from_axum {
    #![doc = include_str!("../guide/from_axum.md")]
}

pub mod from_powertools {
    #![doc = include_str!("../guide/from_powertools.md")]
}

pub mod compiler_errors {
    #![doc = include_str!("../guide/compiler_errors.md")]
}

pub mod glossary {
    #![doc = include_str!("../guide/glossary.md")]
}
