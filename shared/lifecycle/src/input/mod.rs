//! Stage 4: what a request brings, as typed parts.

mod checked;

/// placeholder
pub trait Input: Sized + Send {}
