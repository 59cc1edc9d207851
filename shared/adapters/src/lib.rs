//! AWS behind the lifecycle's ports.
mod aws;
mod configuration;
mod connector;
mod endpoints;
mod expressions;
mod faults;
mod platform;
mod table;
pub use aws::Aws;
pub use configuration::{ConfigError, SIGNING_KEYS, VERIFICATION_KEYS};
pub use table::{KEYS_MAX, OrAbsent, Table};
