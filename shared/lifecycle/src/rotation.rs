//! The lifecycle of a secret's rotation: the four steps for which Secrets Manager invokes a
//! function.

use std::future::Future;

use crate::error::BoxError;
use crate::resource::Resource;

/// A function that rotates a secret.
///
/// Secrets Manager requests a [`Step`] only after the previous one has succeeded, and may repeat
/// each. After a failure it starts again from the first step, with the same version.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rotation",
    label = "`Rotation` is not implemented for it"
)]
pub trait Rotation: Send + Sync + 'static {
    /// The secrets in use, for the IAM policy.
    const RESOURCES: &'static [Resource];

    /// The ARN of the secret that is rotated.
    fn secret_id(&self) -> &str;

    /// Performs one step for the version that will become the current one.
    ///
    /// # Errors
    ///
    /// The reason why the step failed. It is logged, so it must not contain any part of the secret.
    fn perform(
        &self,
        step: Step,
        version_id: &str,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// A step of a rotation, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The version is created; it is not in use yet.
    Create,
    /// The new version is set in the services that check it.
    Set,
    /// The version is tested.
    Test,
    /// The version becomes the current one.
    Finish,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 4] = [Self::Create, Self::Set, Self::Test, Self::Finish];

    /// The name of the step in Secrets Manager's events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "createSecret",
            Self::Set => "setSecret",
            Self::Test => "testSecret",
            Self::Finish => "finishSecret",
        }
    }
}
