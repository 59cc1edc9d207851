//! Stages 2 and 3: authentication and authorization of the caller.

mod access;
pub mod claims;
mod finding;
mod identity;
mod permit;
mod token;

pub use self::access::{Access, Verdict};
pub use self::claims::Claims;
pub use self::finding::FINDING_KEPT_S;
pub(crate) use self::finding::{Finding, not_verified};
pub use self::identity::{Anyone, Authorizer, Caller, Identity, LEEWAY_S, NoRole, SignIn};
pub(crate) use self::permit::AfterResponse;
pub use self::permit::Permit;
pub use self::token::{TokenError, TokenVerifier};
