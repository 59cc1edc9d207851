//! The rotation of a secret, as Secrets Manager does it: its function is invoked once for each of
//! four steps.
//!
//! On AWS a rotation that fails is tried again by itself, some times, and an empty version keeps the
//! label `AWSPENDING` of one that failed before its function made a version. Here it is tried again
//! when it is asked for or due, and without a version of its own it begins anew.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;

use super::{Mapping, events, schedule::Schedule};

/// The steps, each of which comes after the one before has succeeded.
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// Rotates a secret whenever that is asked for, and once the schedule's time has passed since it was
/// rotated last, for as long as the task lives.
pub(super) async fn keep(mapping: Mapping, secret: String, schedule: Schedule) {
    const INVARIANT: &str = "the stores know the rotations of their template";

    let mut under_way = mapping.stores.rotations(&secret).expect(INVARIANT);
    loop {
        // One that is never due again waits to be asked for.
        let wait = schedule.wait(Timestamp::now()).unwrap_or(Duration::MAX);
        let begun = timeout(wait, under_way.wait_for(Option::is_some)).await;
        let token = begun.ok().and_then(|begun| begun.ok()?.clone());
        if let Some(token) = token {
            rotate(&mapping, &secret, &token).await;
            mapping.stores.rotation_ended(&secret).expect(INVARIANT);
        } else if let Err(error) = mapping.stores.rotate(&secret).await {
            mapping.say(&error.to_string());
        }
    }
}

async fn rotate(mapping: &Mapping, secret: &str, token: &str) {
    let arn = mapping.stores.names().secret(secret).map(|it| it.arn.as_str()).unwrap_or_default();
    for step in STEPS {
        if let Err(error) = mapping.invoke(events::of_rotation(step, arn, token)).await {
            mapping.say(&format!("the rotation of {secret} failed in {step}: {error}"));
            return;
        }
    }
}
