//! Orders, from their placing to their end.

mod books;
mod concurrency;
mod placing;
mod projection;
mod saga;
mod settled;
