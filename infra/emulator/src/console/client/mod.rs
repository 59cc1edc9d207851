//! Commands that read a running platform: `trace` for people, and `mcp` for language models.
//!
//! Both ask the control address, so they see the same redacted values as the page.

mod address;
mod control;
mod draw;
#[cfg(test)]
mod fake;
#[cfg(feature = "mcp")]
mod mcp;
#[cfg(test)]
mod samples;
mod terminal;
mod trace;
mod why;

#[cfg(feature = "mcp")]
pub(crate) use self::mcp::{McpArguments, run as serve_mcp};
pub(crate) use self::trace::{TraceArguments, run as trace};
