//! The functions of the store, from the generated list of the simulation.

#[path = "../functions.rs"]
mod functions;

use simulate::Main;

/// The `main` of each function, by its logical id in the template.
pub const MAINS: &[(&str, Main)] = functions::MAINS;
