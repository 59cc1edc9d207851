//! Checks that any service needs.
//!
//! Each is an [`Oracle`](crate::world::Oracle) for
//! [`Simulation::check`](crate::world::Simulation::check). The checks of a service's own rules are
//! written with [`evidence`](crate::evidence) and [`linearizability`](crate::linearizability).

mod answers;
mod dead_letters;
mod deliveries;
mod denied;
mod keys;

pub use self::answers::NoInternalErrors;
pub use self::dead_letters::DeadLetters;
pub use self::denied::NoDeniedCalls;
pub use self::keys::{Answered, KeyScope, OneEffectPerKey};
