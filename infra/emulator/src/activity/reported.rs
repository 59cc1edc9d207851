//! The records of the lifecycle, as the inspector's socket gets them.

use serde::Deserialize;

use super::view::FieldErrorView;

/// A record of the lifecycle.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Line {
    /// The event was read.
    Begun {
        invocation: String,
        request_id: Option<String>,
        method: Option<String>,
        route: Option<String>,
    },
    /// A commit begins.
    Reached {
        invocation: String,
        #[serde(flatten)]
        progress: Progress,
    },
    /// The response is returned.
    Ended {
        invocation: String,
        #[serde(flatten)]
        progress: Progress,
        #[serde(flatten)]
        ended: Ended,
    },
    /// The deferred work is done.
    Deferred { invocation: String, work: Vec<DeferredWork> },
    /// A record of a consumer's batch is settled.
    Record {
        invocation: String,
        #[serde(flatten)]
        record: SettledRecord,
    },
    /// A type of another version.
    #[serde(other)]
    Unknown,
}

/// How far a request came.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Progress {
    /// Name, milliseconds and number of runs of each stage.
    pub(super) stages: Vec<(String, f64, u32)>,
    pub(super) input: Option<String>,
    pub(super) caller: Option<String>,
    pub(super) attempts: u32,
    pub(super) verdicts: Vec<ReportedVerdict>,
    pub(super) caches: Vec<(String, bool)>,
    /// The stage that begins next, before a commit.
    pub(super) running: Option<String>,
}

/// A decision about the caller.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportedVerdict {
    pub(super) stage: String,
    pub(super) by: String,
    pub(super) allowed: bool,
    #[serde(default)]
    pub(super) reason: String,
}

/// The end of a request.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Ended {
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) refused_at: Option<String>,
    pub(super) error: Option<String>,
    pub(super) replayed: bool,
    pub(super) field_errors: Vec<FieldErrorView>,
    pub(super) stale: Vec<String>,
    /// The number of works that are done after the response.
    pub(super) deferred: usize,
}

/// A piece of deferred work.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeferredWork {
    pub(super) what: String,
    pub(super) failed: Option<String>,
    pub(super) took_ms: Option<f64>,
}

/// A record of a consumer's batch.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SettledRecord {
    pub(super) message_id: Option<String>,
    pub(super) record_id: String,
    pub(super) request_id: Option<String>,
    pub(super) deliveries: u32,
    pub(super) outcome: String,
    pub(super) code: Option<String>,
    pub(super) error: Option<String>,
    pub(super) stages: Vec<(String, f64, u32)>,
}

impl SettledRecord {
    /// The code and the reason of a record that was not processed.
    pub(super) fn problem(&self) -> Option<String> {
        match (&self.code, &self.error) {
            (Some(code), Some(error)) => Some(format!("{code}: {error}")),
            (one, other) => one.clone().or_else(|| other.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_of_each_type_is_read_and_another_is_unknown() {
        let ended = json!({
            "type": "ended", "invocation": "i", "stages": [["rules", 1.5, 2]], "attempts": 2,
            "verdicts": [{"stage": "authorization", "by": "access", "allowed": true, "reason": "r"}],
            "caches": [["products", true]], "input": null, "caller": "customer 01a0",
            "status": 409, "code": "OUT_OF_STOCK", "message": "m", "refusedAt": "rules",
            "error": null, "replayed": false, "stale": ["s"], "deferred": 3,
            "fieldErrors": [{"field": "/a", "message": "m"}],
        });
        let Ok(Line::Ended { progress, ended, .. }) = serde_json::from_value(ended) else {
            panic!("an ended record");
        };
        assert_eq!(progress.stages, [("rules".to_owned(), 1.5, 2)]);
        assert_eq!(progress.attempts, 2);
        assert_eq!((ended.status, ended.refused_at.as_deref()), (Some(409), Some("rules")));
        assert_eq!(ended.field_errors[0].field, "/a");
        let unknown = json!({"type": "hopped", "invocation": "i"});
        assert_eq!(serde_json::from_value::<Line>(unknown).unwrap(), Line::Unknown);
    }
}
