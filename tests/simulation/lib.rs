//! The store in a simulated world: its first data, its upstreams, the people who use it, and the
//! oracles that watch. One seed decides a run.
//!
//! [`store`] builds the world, [`workloads`] has the operations of customers, writers, partners,
//! attackers and operators, and [`oracles`] has the checks, by the names that the failure tables of
//! `ARCHITECTURE.md` use. [`linear`] has the models of single records. `mistakes/` has changes of the
//! source that an oracle must find. [`hotspots`] has loads on single items, and their measurement.
//!
//! The functions are not part of this library: the program passes the `main` of each.

pub mod command;
pub mod description;
pub mod hotspots;
pub mod items;
pub mod linear;
pub mod opening;
pub mod oracles;
pub mod people;
pub mod store;
pub mod upstreams;
pub mod workloads;

use std::process::ExitCode;

/// The `main` of a function.
pub type Main = fn() -> ExitCode;
