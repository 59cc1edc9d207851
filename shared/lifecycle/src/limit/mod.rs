//! Rate limits of a caller, a source address, or a subject.

mod attempts;
mod limiter;
mod memory;
mod quota;
mod status;
mod subject;

pub use self::attempts::{AttemptLimiter, CountedAttempt};
pub(crate) use self::limiter::{Counted, Limiter};
pub use self::memory::Memory;
pub use self::quota::{Counting, LIMITS, Limit, MINUTE};
pub(crate) use self::status::RateLimitStatus;
pub use self::subject::SubjectLimit;
pub(crate) use self::subject::SubjectLimiter;
