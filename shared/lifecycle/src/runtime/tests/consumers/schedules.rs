//! Scheduled runs.

use super::*;
use crate::describe;

/// Sends a reminder at each scheduled run.
pub(super) struct Remind;

impl Consumer for Remind {
    const SOURCE: Source = Source::Schedule(Schedule::every_minutes(1));
    const INBOX: Inbox = Inbox::None;
    const RESOURCES: Resources = &[Resource::Queue(READERS)];

    type Input = ScheduledRun;
    type Command = ScheduledRun;

    type Facts = ();

    async fn retrieve(&self, _: &Permit<DeliveredMessage>, run: &ScheduledRun) -> Retrieved<()> {
        if run.id == "broken" { Err(RetrieveError::internal("the store is down")) } else { Ok(()) }
    }

    fn decide(_: &Moment, run: &ScheduledRun, (): ()) -> Result<Effects, DomainError> {
        Ok(Effects::none().message(Message::new(READERS, Event::about(&run.id, &Reminder))))
    }
}

#[tokio::test]
async fn a_failed_run_of_a_schedule_is_a_failed_invocation() {
    let run = |id| json!({ "id": id, "time": "2026-01-01T00:00:00Z", "source": "aws.events" });
    let recorder = Arc::new(Recorder::default());
    for _ in 0..2 {
        assert!(invoke(&recorder, Remind, &run("1")).await.is_ok());
    }
    let [first, again] = recorder.sent().try_into().unwrap();
    assert_eq!(
        first.envelope.event_id, again.envelope.event_id,
        "a retry by Lambda has the same ids"
    );
    for event in [run("broken"), json!({ "Records": [] })] {
        assert!(invoke(&recorder, Remind, &event).await.is_err(), "{event}");
    }
}

#[test]
fn a_schedule_is_described_with_the_time_until_its_next_run() {
    let schedule = json!({ "expression": "rate(1 minute)", "eventAgeMaxSeconds": 60 });
    assert_eq!(describe::consumer::<Remind>()["source"], json!({ "schedule": schedule }));
}
