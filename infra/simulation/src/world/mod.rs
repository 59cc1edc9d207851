//! A world for a whole service: Lambda, API Gateway, event sources and a network in one process, on
//! simulated time, with faults.
//!
//! A [`Simulation`] has a template, the functions' `main`s, a [`Workload`] and [`Oracle`]s. One seed
//! decides everything: the same seed gives the same [`Trace`], byte for byte.
//!
//! The functions run as on Lambda: each cold start calls `main`, and the execution environment with
//! its caches lives until the world ends it. Their requests to AWS are answered by
//! [`services`](crate::services).

mod builder;
mod client;
mod faults;
mod gateway;
mod ids;
mod lambda;
mod names;
mod network;
mod oracle;
mod outages;
mod panic;
mod parts;
mod platform;
mod records;
mod report;
mod request;
mod run;
mod seeds;
mod shrink;
mod simulation;
mod sources;
mod state;
mod streams;
mod trace;
mod upstream;
mod version;
mod workload;
mod written;

pub use self::client::{Client, SENT};
pub use self::faults::{Fault, FaultMix};
pub use self::lambda::TIMED_OUT;
pub(crate) use self::lambda::{THROTTLED, TOO_LARGE};
pub use self::oracle::{Oracle, View};
pub use self::parts::Parts;
pub use self::report::{Failure, Report, Shrunk};
pub use self::request::{ApiAnswer, ApiRequest, NoAnswer};
pub use self::seeds::{Runs, Seeds};
pub use self::simulation::Simulation;
pub use self::state::BEGINNING;
pub use self::trace::{Cause, Event, Happened, Trace};
pub use self::upstream::Upstream;
pub use self::workload::{Planned, Workload};
