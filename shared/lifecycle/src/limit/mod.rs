//! Rate limits of a caller or a source address.

mod limiter;
mod memory;
mod quota;
mod status;

pub use self::limiter::RATE_LIMITER_UNAVAILABLE;
pub(crate) use self::limiter::{Counted, Limiter};
pub use self::memory::Memory;
pub use self::quota::{Counting, LIMITS, Limit, MINUTE};
pub(crate) use self::status::RateLimitStatus;
