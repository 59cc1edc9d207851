//! The rotation of a secret, invoked by Secrets Manager.

use async_trait::async_trait;
use lambda_http::aws_lambda_events::secretsmanager::SecretsManagerSecretRotationEvent as Event;
use serde_json::Value;

use super::guard::guarded;
use super::invocation::{self, Handled, Invocation, InvocationResult};
use crate::error::ServiceError;
use crate::rotation::{Rotation, Step};

/// Serves the rotation.
pub(crate) struct Handler<R> {
    pub(crate) rotation: R,
}

#[async_trait]
impl<R: Rotation> invocation::Handler for Handler<R> {
    async fn handle(&self, invocation: Invocation) -> Handled {
        let answer = match understood(&invocation.event, self.rotation.secret_id()) {
            Ok((step, version_id)) => self.perform(step, &version_id, invocation).await,
            Err(reason) => Err(reason),
        };
        Handled { answer: answer.map(|()| InvocationResult::Json(Value::Null)), deferred: None }
    }
}

impl<R: Rotation> Handler<R> {
    async fn perform(
        &self,
        step: Step,
        version_id: &str,
        invocation: Invocation,
    ) -> Result<(), String> {
        let performed = async {
            let performed = self.rotation.perform(step, version_id).await;
            performed.map_err(|error| ServiceError::internal(error).into())
        };
        match guarded(invocation.deadline, performed).await {
            Ok(()) => {
                tracing::info!(step = step.name(), version_id, "rotation step done");
                Ok(())
            }
            Err(failure) => {
                let error = failure.to_string();
                tracing::error!(step = step.name(), version_id, error, "a secret is not rotated");
                Err(format!("{} failed", step.name()))
            }
        }
    }
}

/// Returns the requested step and the id of the version.
fn understood(event: &[u8], secret_id: &str) -> Result<(Step, String), String> {
    let event: Event = serde_json::from_slice(event)
        .map_err(|error| format!("not an event of a rotation: {error}"))?;
    let step = Step::ALL.into_iter().find(|step| step.name() == event.step);
    let step = step.ok_or_else(|| format!("{} is not a step of a rotation", event.step))?;
    if event.secret_id != secret_id {
        return Err(format!("{} is another secret than the one that is rotated", event.secret_id));
    }
    Ok((step, event.client_request_token))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::Deadline;
    use crate::error::BoxError;
    use crate::resource::Resource;
    use crate::telemetry::log::captured::Captured;

    #[test]
    fn a_step_of_this_secret_is_accepted_and_others_are_errors() {
        let understood = |step: &str, secret: &str| {
            let event = json!({ "Step": step, "SecretId": secret, "ClientRequestToken": "v2" });
            understood(event.to_string().as_bytes(), "arn:keys")
        };
        for step in Step::ALL {
            assert_eq!(understood(step.name(), "arn:keys"), Ok((step, "v2".to_owned())));
        }
        assert!(understood("deleteSecret", "arn:keys").unwrap_err().contains("not a step"));
        assert!(understood("setSecret", "arn:other").unwrap_err().contains("another secret"));
    }

    #[test]
    fn an_event_of_another_kind_is_an_error() {
        let error = understood(b"{}", "arn:keys").unwrap_err();
        assert!(error.starts_with("not an event of a rotation"), "{error}");
    }

    struct Rotating(&'static str);

    impl Rotation for Rotating {
        const RESOURCES: &'static [Resource] = &[];

        fn secret_id(&self) -> &'static str {
            "arn:keys"
        }

        async fn perform(&self, step: Step, version_id: &str) -> Result<(), BoxError> {
            assert_eq!((step, version_id), (Step::Create, "v2"));
            if self.0.is_empty() { Ok(()) } else { Err(self.0.into()) }
        }
    }

    #[tokio::test]
    async fn a_failed_step_is_a_failed_invocation_whose_reason_is_in_the_log_only() {
        let logged = Captured::start();
        for (reason, expected) in
            [("", Ok(json!(null))), ("the table is down", Err("createSecret failed".to_owned()))]
        {
            let event = json!({
                "Step": "createSecret", "SecretId": "arn:keys", "ClientRequestToken": "v2",
            });
            let handler = Handler { rotation: Rotating(reason) };
            let invocation = Invocation {
                invocation_id: "invocation-1".to_owned(),
                event: event.to_string().into(),
                deadline: Deadline::after(Duration::from_secs(10)),
                x_ray: None,
                cold_start: false,
            };
            let handled = invocation::Handler::handle(&handler, invocation).await;
            let answer = handled.answer.map(|answer| serde_json::to_value(answer).unwrap());
            assert_eq!(answer, expected);
        }
        let [done] = logged.of("rotation step done").try_into().unwrap();
        assert_eq!(done["step"], "createSecret");
        let [failed] = logged.of("a secret is not rotated").try_into().unwrap();
        assert!(failed["error"].as_str().unwrap().contains("the table is down"), "{failed}");
    }
}
