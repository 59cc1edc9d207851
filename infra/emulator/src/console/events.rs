//! `/activity/events`: changes as server-sent events.
//!
//! The listener of the records joins changes, at most ten a second, and counts the ones that a slow
//! client missed. Nothing is serialized while no client listens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use serde_json::json;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::counts::Counts;
use crate::activity::{Change, Listener};
use crate::control::{Control, ControlError};

/// The pause between two looks at the counts.
const COUNTS_EVERY: Duration = Duration::from_secs(1);

/// The time without an event after which a comment is sent.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A client that follows the changes.
struct Follower {
    control: Control,
    listener: Listener,
    ticks: Interval,
    /// The counts of the last event.
    counts: Option<Arc<Counts>>,
}

/// `GET /activity/events`
pub(super) async fn events(
    State(control): State<Control>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ControlError> {
    let listener = control.functions.activity().listen().ok_or_else(|| {
        let reason = "too many clients listen already; close another page of the console";
        ControlError::new(StatusCode::SERVICE_UNAVAILABLE, reason)
    })?;
    let mut ticks = interval(COUNTS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let follower = Follower { control, listener, ticks, counts: None };
    let events = futures::stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

impl Follower {
    /// Waits for the next event.
    async fn next(&mut self) -> Event {
        loop {
            let (name, data) = tokio::select! {
                change = self.listener.next() => match change {
                    Change::Requests(rows) => ("requests", json!(rows)),
                    Change::Journeys(ids) => ("journey", json!({"ids": ids})),
                    Change::Dropped(dropped) => ("dropped", json!({"dropped": dropped})),
                },
                _ = self.ticks.tick() => match self.changed_counts().await {
                    Some(counts) => ("counts", json!(*counts)),
                    None => continue,
                },
            };
            // JSON has no line breaks, which would divide the event.
            return Event::default().event(name).data(data.to_string());
        }
    }

    /// The counts, if they have changed since the last event.
    async fn changed_counts(&mut self) -> Option<Arc<Counts>> {
        let counts = self.control.counts.get(&self.control.stores, &self.control.functions).await;
        if self.counts.as_ref() == Some(&counts) {
            return None;
        }
        self.counts = Some(Arc::clone(&counts));
        Some(counts)
    }
}
