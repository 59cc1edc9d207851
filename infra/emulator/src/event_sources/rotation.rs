//! The rotation of a secret, as in Secrets Manager: invokes its function once for each of four
//! steps.
//!
//! AWS retries a failed rotation several times. If it failed before a version was created, an empty
//! version keeps the label `AWSPENDING`. Here it is retried on request or when due; without a
//! version, a new rotation starts.

use std::time::Duration;

use super::events;
use super::mapping::Mapping;
use crate::activity::Cause;
use sam_template::schedules::Schedule;

/// The steps. Each runs after the previous one has succeeded.
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// Rotates a secret on request and when due by its schedule, counted from the last rotation, until
/// the task is aborted.
pub(super) async fn keep(mapping: Mapping, secret: String, schedule: Schedule) {
    const INVARIANT: &str = "the stores know the rotations of their template";

    let mut under_way = mapping.stores.rotations(&secret).expect(INVARIANT);
    loop {
        // If the schedule is never due again, wait only for a request.
        let reading = mapping.stores.clock().read();
        let wait = schedule.wait(reading.now()).unwrap_or(Duration::MAX);
        let begun = async { under_way.wait_for(Option::is_some).await.ok()?.clone() };
        let token = tokio::select! {
            token = begun => token,
            () = mapping.stores.clock().sleep(reading, wait) => None,
        };
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
        let cause = Cause::Rotation(secret.to_owned());
        if let Err(error) = mapping.invoke(events::of_rotation(step, arn, token), cause).await {
            mapping.say(&format!("the rotation of {secret} failed in {step}: {error}"));
            return;
        }
    }
}
