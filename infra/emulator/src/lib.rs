//! An emulator of AWS: runs the API of a SAM template on one machine, with the binaries that are
//! deployed.
//!
//! A [`Platform`] consists of:
//!
//! - API Gateway, function URLs ([`gateway`]) and Lambda ([`functions`]);
//! - the tables, queues, secrets and mail that functions use ([`services`]);
//! - the event sources that invoke functions besides the API ([`event_sources`]);
//! - the control address, which shows its state, sets [`faults`] and moves its [`Clock`] ([`control`]);
//! - the checks of a machine before a first start ([`doctor`]);
//! - the parts that an [`Application`] adds: stand-ins for third-party services ([`standins`]),
//!   the first data, and its API's description.
//!
//! Its only configuration is the template. Several platforms can run in one process.
//!
//! ```no_run
//! # async fn run() -> Result<(), emulator::StartError> {
//! use emulator::options::Options;
//! use emulator::{NoApplication, Platform};
//!
//! let platform = Platform::start(Options::default(), &NoApplication).await?;
//! println!("the API is at {}", platform.api_url());
//! platform.stop().await;
//! # Ok(())
//! # }
//! ```

pub mod accept;
mod application;
pub mod binaries;
mod clock;
pub mod command;
pub mod control;
pub mod doctor;
mod error;
pub mod event_sources;
pub mod faults;
pub mod functions;
pub mod gateway;
mod logs;
pub mod options;
mod platform;
pub mod services;
pub mod standins;
mod visitors;

pub use self::application::{Application, BoxError, NoApplication};
pub use self::clock::{Clock, ClockError};
pub use self::error::StartError;
pub use self::platform::Platform;
