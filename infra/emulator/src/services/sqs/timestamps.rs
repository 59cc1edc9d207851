//! Times of messages by the platform's clock. The embedded SQS knows only the machine's.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::yield_now;

/// The attributes of a message that are times, in milliseconds.
const TIMES: [&str; 2] = ["ApproximateFirstReceiveTimestamp", "SentTimestamp"];

/// The moves of the platform's clock, oldest first.
#[derive(Debug, Default)]
pub(super) struct Moves(Mutex<Vec<Move>>);

#[derive(Debug, Clone, Copy)]
struct Move {
    /// By the machine's clock.
    at_ms: i64,
    /// The number of seconds by which the platform's clock is ahead from then on.
    offset_s: u32,
}

impl Moves {
    /// Notes that the clock has just been moved. It returns in a later millisecond, so that the time
    /// of a message is either before the move or after it.
    pub(super) async fn note(&self, offset_s: u32) {
        let at_ms = Timestamp::now().as_millisecond();
        self.add(Move { at_ms, offset_s });
        while Timestamp::now().as_millisecond() <= at_ms {
            yield_now().await;
        }
    }

    fn add(&self, moved: Move) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(moved);
    }

    /// The response of a receive, with its messages' times by the platform's clock.
    pub(super) fn translate(&self, answer: Bytes) -> Bytes {
        let moves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if moves.is_empty() {
            return answer;
        }
        let Ok(mut told) = serde_json::from_slice::<Value>(&answer) else { return answer };
        let messages = told.get_mut("Messages").and_then(Value::as_array_mut);
        for message in messages.into_iter().flatten() {
            for name in TIMES {
                let time = message["Attributes"].get_mut(name);
                let time = time.and_then(|time| Some((time.as_str()?.parse().ok()?, time)));
                if let Some((ms, time)) = time {
                    *time = shown(&moves, ms).to_string().into();
                }
            }
        }
        told.to_string().into()
    }
}

/// A time of the machine's clock by the platform's clock, as it was then.
fn shown(moves: &[Move], ms: i64) -> i64 {
    let last = moves.iter().rev().find(|moved| moved.at_ms < ms);
    ms + 1000 * i64::from(last.map_or(0, |moved| moved.offset_s))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_shown_by_the_clock_as_it_was_then() {
        let moves = Moves::default();
        let message = |sent: &str, received: &str| {
            json!({ "Messages": [{ "Body": "b", "Attributes": {
                "SentTimestamp": sent, "ApproximateFirstReceiveTimestamp": received,
            } }] })
        };
        let translated = |sent, received| {
            let answer = moves.translate(message(sent, received).to_string().into());
            serde_json::from_slice::<Value>(&answer).unwrap()
        };
        assert_eq!(translated("500", "2500"), message("500", "2500"));
        moves.add(Move { at_ms: 1000, offset_s: 30 });
        moves.add(Move { at_ms: 2000, offset_s: 90 });
        assert_eq!(translated("500", "2500"), message("500", "92500"));
        assert_eq!(translated("1001", "2000"), message("31001", "32000"));
        let empty = Bytes::from_static(b"{}");
        assert_eq!(moves.translate(empty.clone()), empty);
    }
}
