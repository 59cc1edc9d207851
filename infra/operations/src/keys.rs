//! `rotate-keys`: makes the next key sign tokens. Valid tokens stay valid.

use std::time::Duration;

use aws::KeyRotation;
use aws::admin::Operator;
use clap::Args;
use lifecycle::Rotation;
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;
use lifecycle::rotation::Step;
use uuid::Uuid;

use crate::output::Say;

pub(crate) const RESOURCES: &[Resource] = KeyRotation::RESOURCES;

/// Rotates the keys at once, for a leaked key whose tokens must stop verifying.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Seconds after a key's replacement until its last token has expired.
    #[arg(long, value_name = "SECONDS")]
    ended_after: Option<u32>,
}

pub(crate) async fn run(
    arguments: &Arguments,
    operator: &Operator,
    say: Say<'_>,
) -> Result<(), BoxError> {
    let rotation = operator.key_rotation();
    let rotation = match arguments.ended_after {
        Some(seconds) => rotation.retired_after(Duration::from_secs(seconds.into())),
        None => rotation,
    };
    let version_id = Uuid::new_v4().to_string();
    for step in Step::ALL {
        rotation.perform(step, &version_id).await?;
        say(match step {
            Step::Create => "a fresh key was generated; it signs after the next one",
            Step::Set => "it is published, and the key that was replaced last is removed",
            Step::Test => "a token of the new signing key verifies",
            Step::Finish => "it signs from now on",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn seconds_that_no_time_can_be_are_refused() {
        let parsed = |seconds: &str| {
            let program = Program::try_parse_from(["rotate-keys", "--ended-after", seconds]);
            program.map(|program| program.arguments.ended_after)
        };
        assert_eq!(parsed("0").unwrap(), Some(0));
        // As a signed number it is -1: a key would count as ended before its replacement.
        assert!(parsed(&u64::MAX.to_string()).is_err());
    }
}
