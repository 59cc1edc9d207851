#![doc = include_str!("../README.md")]

pub mod evidence;
pub mod guide;
pub mod linearizability;
pub mod oracles;
pub mod random;
pub mod services;
mod time;
pub mod world;

pub use sam_template::Template;

pub use self::time::Millis;
