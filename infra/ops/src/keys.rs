//! `rotate-keys`: a fresh key signs tokens, and nobody notices.

use std::time::{Duration, SystemTime};

use adapters::operator::{Operator, Step, Waits};
use adapters::{SIGNING_KEYS, VERIFICATION_KEYS};
use clap::Args;
use lifecycle::Timestamp;
use lifecycle::failure::BoxError;
use lifecycle::uses::Use;
use tokio::time::sleep;

use crate::Say;

pub(crate) const USES: &[Use] = &[Use::Secret(SIGNING_KEYS), Use::Secret(VERIFICATION_KEYS)];

/// Whoever signs or verifies needs the issuer and the audience; whoever changes the keys does not.
pub(crate) fn not_needed(variable: &str) -> Option<String> {
    matches!(variable, "ISSUER" | "AUDIENCE").then(|| "nobody".to_owned())
}

/// Other waits than those that are safe: for a key that has become known, and for tests.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// After how many seconds everybody has a key that was published.
    #[arg(long, value_name = "SECONDS")]
    known_after: Option<u64>,
    /// After how many seconds the last token of a key that signs no more has ended.
    #[arg(long, value_name = "SECONDS")]
    ended_after: Option<u64>,
}

impl Arguments {
    fn waits(&self) -> Waits {
        let Waits { known_after, ended_after } = Waits::default();
        Waits {
            known_after: self.known_after.map_or(known_after, Duration::from_secs),
            ended_after: self.ended_after.map_or(ended_after, Duration::from_secs),
        }
    }
}

pub(crate) async fn run(
    arguments: &Arguments,
    operator: &Operator,
    say: Say<'_>,
) -> Result<(), BoxError> {
    let rotation = operator.rotation(arguments.waits());
    loop {
        match rotation.step().await? {
            Step::Drop(kid) => say(&format!("{kid} is dropped: its tokens have ended")),
            Step::Make => say("a fresh key is made"),
            Step::Publish(kid) => say(&format!("{kid} is published")),
            Step::Wait(until) => {
                say(&format!("waiting until {until}, when everybody has it; or run this again"));
                sleep(left_until(until)).await;
            }
            Step::Promote(kid) => say(&format!("{kid} signs from now on")),
            Step::Retire(kids) => {
                say(&format!("done: {} verifies until its tokens have ended", kids.join(", ")));
                return Ok(());
            }
        }
    }
}

fn left_until(time: Timestamp) -> Duration {
    let left = time.as_millis() - Timestamp::from(SystemTime::now()).as_millis();
    Duration::from_millis(u64::try_from(left).unwrap_or(0))
}
