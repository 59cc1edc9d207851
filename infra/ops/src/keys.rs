//! `rotate-keys`: the next key signs tokens, and nobody notices.

use std::time::Duration;

use aws::KeyRotation;
use aws::admin::Operator;
use clap::Args;
use lifecycle::Rotation;
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;
use lifecycle::rotation::Step;
use uuid::Uuid;

use crate::Say;

pub(crate) const RESOURCES: &[Resource] = KeyRotation::RESOURCES;

/// For a key that has become known, whose tokens are to stop working.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// After how many seconds the last token of the key that was replaced last has ended.
    #[arg(long, value_name = "SECONDS")]
    ended_after: Option<u64>,
}

pub(crate) async fn run(
    arguments: &Arguments,
    operator: &Operator,
    say: Say<'_>,
) -> Result<(), BoxError> {
    let rotation = operator.key_rotation();
    let rotation = match arguments.ended_after {
        Some(seconds) => rotation.retired_after(Duration::from_secs(seconds)),
        None => rotation,
    };
    let version_id = Uuid::new_v4().to_string();
    for step in Step::ALL {
        rotation.perform(step, &version_id).await?;
        say(match step {
            Step::Create => "a fresh key is made, to sign after the next one",
            Step::Set => "it is published, and the key that was replaced last is gone",
            Step::Test => "a token of the key that is to sign verifies",
            Step::Finish => "it signs from now on",
        });
    }
    Ok(())
}
