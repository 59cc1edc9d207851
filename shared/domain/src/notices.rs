//! Alerts to operators about failures: at most one a minute for each kind of failure.

mod channel;

use lifecycle::Timestamp;
use lifecycle::effects::{Condition, Effects, Event, EventData, Write, number, text};
use lifecycle::newtypes::wire_enum;
use lifecycle::record::{Key, Record, TableName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::channel::Alert;
pub use self::channel::AlertChannel;
use crate::resources::NOTICES;

/// An upstream has failed in a way that needs an operator's attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamFailed {
    /// The upstream, by its logical name.
    pub upstream: String,
    /// The kind of failure.
    pub kind: UpstreamFailure,
    /// The upstream's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// When it failed.
    pub at: Timestamp,
}

impl UpstreamFailed {
    /// The kind by which failures are counted: each kind has at most one alert a minute.
    fn kind(&self) -> String {
        format!("{}/{}", self.upstream, self.kind.as_str())
    }
}

impl EventData for UpstreamFailed {
    const TYPE: &'static str = "UpstreamFailed";
}

wire_enum! {
    /// A kind of failure of an upstream.
    UpstreamFailure {
        /// It has failed so often that its circuit has opened.
        CircuitOpened = "CIRCUIT_OPENED",
        /// It rejects our credentials.
        AuthenticationFailed = "AUTHENTICATION_FAILED",
        /// Its response was an error, unreadable or missing.
        Failed = "FAILED",
    }
}

/// An alert to one receiver is due. Each receiver has a separate event, so that one that is down
/// does not delay the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeDue {
    /// The receiver of the alert.
    pub receiver: AlertChannel,
    /// The failure.
    pub failed: UpstreamFailed,
    /// The number of failures of this kind since the last alert, without an alert.
    pub suppressed: u64,
}

impl EventData for NoticeDue {
    const TYPE: &'static str = "NoticeDue";
}

impl NoticeDue {
    /// The alert as its receiver takes it, with an id that is the same for every delivery attempt.
    pub fn body(&self, id: &str) -> Value {
        self.receiver.body(&self.alert(id))
    }

    fn alert(&self, id: &str) -> Alert {
        let UpstreamFailed { upstream, kind, code, at } = &self.failed;
        let code = code.as_ref().map_or(String::new(), |code| format!(" with {code}"));
        let more = match self.suppressed {
            0 => String::new(),
            count => format!(" {count} more were suppressed since the last alert."),
        };
        Alert {
            id: id.to_owned(),
            kind: self.failed.kind(),
            title: format!("{upstream}: {}", kind.as_str()),
            text: format!("The upstream {upstream} failed{code} at {at}: {}.{more}", kind.as_str()),
            at: *at,
            suppressed: self.suppressed,
        }
    }
}

/// The last alert about a kind of failure, and the number of suppressed alerts since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeLog {
    /// The kind of failure.
    pub kind: String,
    /// When the last alert was sent.
    pub noticed_at: Timestamp,
    /// The number of failures since, without an alert.
    pub suppressed: u64,
}

/// The minimum time between two alerts of a kind, in seconds.
const BETWEEN_NOTICES_S: i64 = 60;

impl NoticeLog {
    /// The key of the log of a kind of failure.
    pub fn key_of(failed: &UpstreamFailed) -> Key {
        Key::new(failed.kind())
    }

    /// Alerts the receivers to a failure, or counts it if its kind had an alert within a minute.
    pub fn tell(
        known: Option<&Self>,
        failed: &UpstreamFailed,
        receivers: &[AlertChannel],
        now: Timestamp,
    ) -> Effects {
        let next = Self { kind: failed.kind(), noticed_at: now, suppressed: 0 };
        let Some(known) = known else {
            return told(Write::create(&next), failed, receivers, 0);
        };
        let unnoticed = Condition::Equals("noticedAt", text(known.noticed_at.to_string()));
        if now < known.noticed_at.plus_seconds(BETWEEN_NOTICES_S) {
            let count = Write::update::<Self>(known.key()).add("suppressed", 1);
            return Effects::none().write(count.when(unnoticed));
        }
        // A failure that is counted meanwhile must be in the alert.
        let counted = Condition::Equals("suppressed", number(known.suppressed));
        let log = Write::put(&next).when(unnoticed).when(counted);
        told(log, failed, receivers, known.suppressed)
    }
}

/// Commits the count and the events together: no failure is reported twice, none is left out.
fn told(
    log: Write,
    failed: &UpstreamFailed,
    receivers: &[AlertChannel],
    suppressed: u64,
) -> Effects {
    let due = |receiver: &AlertChannel| {
        let due = NoticeDue { receiver: *receiver, failed: failed.clone(), suppressed };
        Event::about(failed.kind(), &due)
    };
    receivers.iter().map(due).fold(Effects::none().write(log), Effects::event)
}

impl Record for NoticeLog {
    const TABLE: TableName = NOTICES;

    fn key(&self) -> Key {
        Key::new(&self.kind)
    }
}

#[cfg(test)]
mod tests {
    use lifecycle::effects::{Change, WriteAction};

    use super::*;

    #[test]
    fn each_kind_has_one_alert_a_minute_with_the_suppressed_count() {
        let mut log = None;
        let told: Vec<_> = [0, 1, 59, 60, 61, 200]
            .into_iter()
            .map(|second| tell(&mut log, &failure(UpstreamFailure::Failed), second))
            .collect();
        assert_eq!(told, [Some(0), None, None, Some(2), None, Some(1)]);
    }

    #[test]
    fn kinds_and_upstreams_do_not_suppress_each_other() {
        let mut log = None;
        tell(&mut log, &failure(UpstreamFailure::Failed), 0);
        let others = [
            failure(UpstreamFailure::CircuitOpened),
            UpstreamFailed { upstream: "objects".to_owned(), ..failure(UpstreamFailure::Failed) },
        ];
        let key = NoticeLog::key_of(&failure(UpstreamFailure::Failed));
        assert!(others.iter().all(|other| NoticeLog::key_of(other) != key));
    }

    #[test]
    fn each_receiver_has_its_event_and_without_receivers_failures_are_counted() {
        let failed = failure(UpstreamFailure::Failed);
        for receivers in [&[][..], &[AlertChannel::Slack, AlertChannel::NewRelic]] {
            let effects = NoticeLog::tell(None, &failed, receivers, second(0));
            assert_eq!(effects.events().len(), receivers.len());
            assert_eq!(effects.writes().len(), 1);
        }
    }

    #[test]
    fn an_alert_has_the_failure_its_time_and_the_suppressed_count() {
        let failed = failure(UpstreamFailure::Failed);
        let due = NoticeDue { receiver: AlertChannel::Slack, failed, suppressed: 7 };
        let alert = due.alert("event-1");
        assert_eq!((alert.id.as_str(), alert.title.as_str()), ("event-1", "partner: FAILED"));
        assert_eq!(due.body("event-1"), AlertChannel::Slack.body(&alert));
        assert_eq!(
            alert.text,
            "The upstream partner failed with S01 at 1970-01-01T00:00:00.000Z: FAILED. \
             7 more were suppressed since the last alert."
        );
    }

    /// The suppressed count of the alert, if one is sent.
    fn tell(log: &mut Option<NoticeLog>, failed: &UpstreamFailed, at: i64) -> Option<u64> {
        let effects = NoticeLog::tell(log.as_ref(), failed, &[AlertChannel::Slack], second(at));
        match &effects.writes()[0].action {
            WriteAction::Put(item) => *log = Some(serde_dynamo::from_item(item.clone()).unwrap()),
            WriteAction::Update(changes) => {
                assert_eq!(*changes, [Change::Add("suppressed", 1)]);
                log.as_mut().unwrap().suppressed += 1;
            }
            other => panic!("{other:?}"),
        }
        effects.events().first().map(|event| event.data["suppressed"].as_u64().unwrap())
    }

    fn failure(kind: UpstreamFailure) -> UpstreamFailed {
        let code = Some("S01".to_owned());
        UpstreamFailed { upstream: "partner".to_owned(), kind, code, at: second(0) }
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }
}
