//! The lifecycle's sibling for secrets: the four steps in which Secrets Manager has a function rotate
//! one.

use std::future::Future;

use crate::failure::BoxError;
use crate::uses::Use;

/// Something that gives a secret a new value.
///
/// Secrets Manager asks for a [`Step`] only once the one before has succeeded, and may ask for each
/// again; a rotation that fails is asked for again from its first step on, with the same version.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rotation",
    label = "`Rotation` is not implemented for it"
)]
pub trait Rotation: Send + Sync + 'static {
    /// The secrets in use, for the policy.
    const USES: &'static [Use];

    /// The ARN of the secret that is rotated.
    fn secret_id(&self) -> &str;

    /// Does one step for the version that is to become the current one.
    ///
    /// # Errors
    ///
    /// What keeps the step from being done. It goes to the log: it must not repeat any of the
    /// secret.
    fn perform(
        &self,
        step: Step,
        version_id: &str,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// A step of a rotation, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The version is made; nobody uses it yet.
    Create,
    /// Whoever has to know of it is told.
    Set,
    /// It is tried.
    Test,
    /// It becomes the current one.
    Finish,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Create, Self::Set, Self::Test, Self::Finish];

    /// What Secrets Manager calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "createSecret",
            Self::Set => "setSecret",
            Self::Test => "testSecret",
            Self::Finish => "finishSecret",
        }
    }
}
