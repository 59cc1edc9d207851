//! `/activity/schedules`: the schedules with their next and last runs.

use axum::Json;
use axum::extract::State;
use sam_template::{EventSource, ScheduleTrigger, Trigger};
use serde::Serialize;
use serde_json::{Value, json};

use crate::control::Control;
use crate::event_sources::ScheduleReport;

/// A schedule of the template.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ScheduleView {
    #[serde(flatten)]
    report: ScheduleReport,
    state: ScheduleState,
}

/// The state of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum ScheduleState {
    /// It waits for its next run.
    Waiting,
    /// A run has not ended.
    Running,
    /// It has no more runs.
    Over,
    /// The platform was started without schedules.
    Off,
}

/// `GET /activity/schedules`
pub(super) async fn list(State(control): State<Control>) -> Json<Value> {
    let mut shown: Vec<ScheduleView> =
        control.schedules.reports().into_iter().map(ScheduleView::from).collect();
    let is_shown = |shown: &[ScheduleView], off: &ScheduleReport| {
        shown.iter().any(|known| known.report.name == off.name)
    };
    for source in &control.template.event_sources {
        if let Trigger::Schedule(trigger) = &source.trigger {
            let report = off(source, trigger);
            if !is_shown(&shown, &report) {
                shown.push(ScheduleView { report, state: ScheduleState::Off });
            }
        }
    }
    for schedule in &mut shown {
        if let Some(last) = &mut schedule.report.last {
            let error = last.error.as_deref();
            last.error = error.map(|error| control.functions.activity().redaction().text(error));
        }
    }
    Json(json!({"now": control.stores.clock().now(), "schedules": shown}))
}

impl From<ScheduleReport> for ScheduleView {
    fn from(report: ScheduleReport) -> Self {
        let state = match (report.running, report.next_at) {
            (1.., _) => ScheduleState::Running,
            (0, Some(_)) => ScheduleState::Waiting,
            (0, None) => ScheduleState::Over,
        };
        Self { report, state }
    }
}

/// A schedule that does not run.
fn off(source: &EventSource, trigger: &ScheduleTrigger) -> ScheduleReport {
    ScheduleReport {
        function: source.function.clone(),
        name: format!("{}.{}", source.function, source.name),
        expression: trigger.expression.clone(),
        next_at: None,
        running: 0,
        last: None,
        count: 0,
    }
}
