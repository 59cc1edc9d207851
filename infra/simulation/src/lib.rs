#![doc = include_str!("../README.md")]

pub mod random;
pub mod services;
mod time;
pub mod world;

pub use self::time::Millis;
