//! The secrets: the embedded Secrets Manager ([`embedded`]) and the state of rotations
//! ([`rotation`]), which [`calls`] combines. [`kept`] saves their values.

mod calls;
mod embedded;
mod kept;
mod rotation;

pub(crate) use self::embedded::Secrets;
pub(crate) use self::kept::Kept;
pub(crate) use self::rotation::Rotation;
