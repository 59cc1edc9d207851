#![doc = include_str!("../README.md")]
//! # Contents
//!
//! A [`Platform`] consists of:
//!
//! - API Gateway, function URLs ([`gateway`]) and Lambda ([`functions`]);
//! - the tables, queues, secrets and mail that functions use ([`services`]);
//! - the event sources that invoke functions besides the API ([`event_sources`]);
//! - the records of events, in memory ([`activity`]);
//! - the control address, which shows its state, sets [`faults`] and moves its [`Clock`] ([`control`]);
//! - the checks of a machine before a first start ([`doctor`]);
//! - the parts that an [`Application`] adds: stand-ins for third-party services ([`standins`]),
//!   the first data, and its API's description.
//!
//! Its only configuration is the template. Several platforms can run in one process.

pub mod accept;
mod account;
pub mod activity;
mod application;
pub mod binaries;
mod clock;
pub mod command;
mod console;
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
mod text;
mod visitors;

pub use self::account::{Account, SignIn};
pub use self::application::{Application, BoxError, NoApplication};
pub use self::clock::{Clock, ClockError};
pub use self::error::StartError;
pub use self::platform::Platform;
