//! The object service: reports whether an object is online, after a delay.

use std::time::Duration;

use bytes::Bytes;
use emulator::faults::{DelayMs, FakeResponse, UpstreamFault};
use emulator::standins::Service;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The range of response times in milliseconds, unless the faults set another.
const TAKES_MS: (u64, u64) = (300, 4_300);

/// The faults of the object service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ObjectsFaults {
    /// Those of look-ups.
    lookups: UpstreamFault,
    /// The shortest and the longest response time.
    takes_ms: Option<(DelayMs, DelayMs)>,
}

/// The object service: objects with even ids are online.
pub(super) struct Objects;

impl Service for Objects {
    const NAME: &'static str = "objects";
    const PARAMETERS: &'static [&'static str] = &["ObjectsUrl"];
    type Faults = ObjectsFaults;

    fn fault<'a>(faults: &'a ObjectsFaults, _: &str) -> (&'static str, &'a UpstreamFault) {
        ("objects", &faults.lookups)
    }

    fn takes(&self, request: &Request<Bytes>, faults: &ObjectsFaults) -> Duration {
        let taken = faults.takes_ms.map(|(from, to)| (from.into(), to.into()));
        let (from_ms, to_ms) = taken.unwrap_or(TAKES_MS);
        // Knuth's multiplier spreads neighbouring ids; an object always has the same response time.
        let scattered =
            object(request).unwrap_or_default().unsigned_abs().wrapping_mul(2_654_435_761);
        let span_ms: u64 = u64::saturating_sub(to_ms, from_ms) + 1;
        Duration::from_millis(from_ms + (scattered >> 16) % span_ms)
    }

    fn answer(&self, request: &Request<Bytes>, _: &ObjectsFaults) -> FakeResponse {
        match object(request) {
            Some(id) => {
                FakeResponse::new(StatusCode::OK, json!({ "id": id, "online": id % 2 == 0 }))
            }
            None => {
                FakeResponse::new(StatusCode::NOT_FOUND, json!({ "message": "no such address" }))
            }
        }
    }
}

fn object(request: &Request<Bytes>) -> Option<i64> {
    request.uri().path().strip_prefix("/objects/")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_objects_are_online_and_response_times_are_in_range() {
        let faults = ObjectsFaults::default();
        for (path, status, online) in [
            ("/objects/2", 200, Some(true)),
            ("/objects/-3", 200, Some(false)),
            ("/objects/two", 404, None),
        ] {
            let request = Request::get(path).body(Bytes::new()).unwrap();
            let answer = Objects.answer(&request, &faults);
            assert_eq!(
                (u16::from(answer.status), answer.body["online"].as_bool()),
                (status, online)
            );
        }
        let takes = |id: i64, faults: &ObjectsFaults| {
            let request = Request::get(format!("/objects/{id}")).body(Bytes::new()).unwrap();
            u64::try_from(Objects.takes(&request, faults).as_millis()).unwrap()
        };
        let taken: Vec<u64> = (0..1_000).map(|id| takes(id, &faults)).collect();
        assert!(taken.iter().all(|ms| (300..=4_300).contains(ms)), "{taken:?}");
        let mean_ms = taken.iter().sum::<u64>() / 1_000;
        assert!((2_100..2_500).contains(&mean_ms), "{mean_ms}");
        let quick = serde_json::from_str(r#"{"takesMs": [5, 5]}"#).unwrap();
        assert_eq!(takes(7, &quick), 5);
    }
}
