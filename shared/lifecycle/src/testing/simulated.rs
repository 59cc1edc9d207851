//! Functions of a simulation: their real `main`, without Lambda, network or process.
//!
//! A simulation has one async runtime with one thread and with paused time. It starts each function
//! by [`start`], as often as Lambda would, and invokes it by [`SimulatedFunction::invoke`]. Time,
//! randomness and log lines come from its [`Surroundings`]. With one seed behind them, two runs make
//! the same calls and write the same lines, byte for byte. A new simulation needs a new runtime: the
//! timers of a runtime depend on its age.
//!
//! Each function has the log level of its `LOG_LEVEL`. Lines of the AWS SDK are left out, since they
//! have requests whose members are in a random order. The process and its threads must have no other
//! subscriber of `tracing`, and code outside of simulations has no log.
//!
//! Work on other threads is not simulated. So the watchdog is off, and work that blocks a
//! thread ([`background::blocking`](crate::background::blocking)) runs at once.
//!
//! ```
//! use std::process::ExitCode;
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use bytes::Bytes;
//! use lifecycle::prelude::*;
//! use lifecycle::testing::Memory;
//! use lifecycle::testing::simulated::{SimulatedInvocation, Surroundings, start, within};
//! use lifecycle::{Query, Timestamp, clock};
//! use tokio::time::Instant;
//!
//! #[derive(serde::Serialize, schemars::JsonSchema)]
//! struct Time {
//!     now: Timestamp,
//! }
//!
//! struct GetTime;
//!
//! impl Query for GetTime {
//!     const ROUTE: Route = Route::get("/time");
//!     type Caller = Anyone;
//!     const ACCESS: Access<NoRole> = Access::Public;
//!     const LIMIT: Limit = Limit::OFF;
//!     const RESOURCES: Resources = &[];
//!     type Input = ();
//!     type Command = ();
//!     type Facts = Time;
//!
//!     async fn retrieve(&self, _: &Permit<Anyone>, (): &()) -> Retrieved<Time> {
//!         Ok(Time { now: clock::now() })
//!     }
//!
//!     const ALLOW: Allow<Self> = Allow::Always;
//!     type Reply = reply::Ok<Time>;
//!
//!     fn reply(time: Time) -> reply::Ok<Time> {
//!         reply::Ok::of(time)
//!     }
//! }
//!
//! // With the crate `aws`: `aws::serve(build)`.
//! fn main_of_get_time() -> ExitCode {
//!     lifecycle::runtime::endpoint(|_| Ok(Memory::new()), |_| GetTime)
//! }
//!
//! /// 2027-01-15 08:00 UTC, and no randomness.
//! struct Fixed;
//!
//! impl Surroundings for Fixed {
//!     fn now(&self) -> Timestamp {
//!         Timestamp::from_millis(1_800_000_000_000)
//!     }
//!
//!     fn fill(&self, bytes: &mut [u8]) {
//!         bytes.fill(0);
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! within(Arc::new(Fixed), async {
//!     let get_time = start(Arc::new(|_: &str| None::<String>), main_of_get_time).unwrap();
//!     assert_eq!(get_time.route(), Some(("GET", "/time")));
//!     get_time.initialise().await;
//!
//!     let event = serde_json::json!({
//!         "version": "2.0", "rawPath": "/time", "rawQueryString": "", "headers": {},
//!         "requestContext": { "http": { "method": "GET", "sourceIp": "192.0.2.1" } },
//!     });
//!     let invocation = SimulatedInvocation {
//!         id: "1".to_owned(),
//!         event: Bytes::from(event.to_string()),
//!         deadline: Instant::now() + Duration::from_secs(10),
//!         x_ray: None,
//!         cold_start: true,
//!     };
//!     let returned = get_time.invoke(invocation).await.unwrap();
//!     let body = returned.payload["body"].as_str().unwrap();
//!     assert!(body.contains("2027-01-15T08:00:00.000Z"));
//!     if let Some(deferred) = returned.deferred {
//!         deferred.await;
//!     }
//! })
//! .await;
//! # }
//! ```

pub use crate::runtime::simulated::{
    Deferred, Failed, Returned, SimulatedFunction, SimulatedInvocation, Variables, start, variables,
};
pub use crate::surroundings::{Surroundings, within};

/// Starts the log of simulated functions, as the first [`start`] of one does.
///
/// # Errors
///
/// If the process or the thread has another subscriber of `tracing`, which would take the lines.
pub fn start_log() -> Result<(), String> {
    crate::telemetry::log::start_simulated()
}
