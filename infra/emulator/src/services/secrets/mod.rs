//! The secrets: the embedded Secrets Manager ([`embedded`]) and the state of rotations
//! ([`rotation`]), which [`calls`] combines.

mod calls;
mod embedded;
mod rotation;

pub(crate) use self::embedded::Secrets;
pub(crate) use self::rotation::Rotation;
