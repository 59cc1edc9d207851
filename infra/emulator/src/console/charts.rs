//! `/activity/charts`: rates, times and errors of the last minutes, from the answered requests.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::reading::{self, refused};
use crate::activity::Sample;
use crate::control::{Control, ControlError};

/// The maximum number of minutes.
const MINUTES_MAX: u32 = 60;

/// The lengths of a step in seconds.
const STEPS_S: [u32; 6] = [1, 5, 10, 15, 30, 60];

/// The maximum number of steps.
const POINTS_MAX: u32 = 150;

/// The maximum number of routes; the requests of all others are counted together.
const ROUTES_MAX: usize = 40;

/// The name of the requests of all other routes.
const OTHERS: &str = "others";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChartsQuery {
    /// 10 by default.
    minutes: Option<u32>,
}

/// The charts. All lists have one value for each step.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Charts {
    /// The beginning of the first step.
    from: Timestamp,
    /// The length of a step in seconds.
    step_s: u32,
    /// The routes, the most frequent first.
    routes: Vec<String>,
    total: Total,
    by_route: BTreeMap<String, RouteCounts>,
}

#[derive(Debug, Default, Serialize)]
struct Total {
    count: Vec<u32>,
    /// Statuses from 500.
    errors: Vec<u32>,
    /// Statuses from 400 to 499.
    refused: Vec<u32>,
    /// The median of the times in milliseconds; `null` for a step without requests.
    p50: Vec<Option<f64>>,
    p99: Vec<Option<f64>>,
    /// The requests that began an environment, and all others.
    cold: Vec<u32>,
    warm: Vec<u32>,
    /// The medians of their times.
    #[serde(rename = "coldP50")]
    cold_p50: Vec<Option<f64>>,
    #[serde(rename = "warmP50")]
    warm_p50: Vec<Option<f64>>,
}

#[derive(Debug, Clone, Default, Serialize)]
struct RouteCounts {
    count: Vec<u32>,
    errors: Vec<u32>,
}

/// The requests of one step.
#[derive(Default)]
struct Step {
    errors: u32,
    refused: u32,
    cold: Vec<f64>,
    warm: Vec<f64>,
}

/// `GET /activity/charts?minutes=10`
pub(super) async fn charts(
    State(control): State<Control>,
    query: Result<Query<ChartsQuery>, QueryRejection>,
) -> Result<Json<Charts>, ControlError> {
    let Query(query) = query.map_err(reading::query)?;
    let minutes = query.minutes.unwrap_or(10);
    if !(1..=MINUTES_MAX).contains(&minutes) {
        return Err(refused(format!("minutes is a number from 1 to {MINUTES_MAX}")));
    }
    let (from, step_s, points) = steps(control.stores.clock().now(), minutes);
    Ok(Json(drawn(&control.functions.activity().samples(from), from, step_s, points)))
}

/// The beginning of the first step, the length of a step in seconds, and the number of steps. Steps
/// begin at multiples of their length, so that a chart moves by whole steps.
fn steps(now: Timestamp, minutes: u32) -> (Timestamp, u32, usize) {
    let fits = |step_s: &u32| minutes * 60 / step_s <= POINTS_MAX;
    let step_s = STEPS_S.into_iter().find(fits).unwrap_or(MINUTES_MAX);
    let points = minutes * 60 / step_s;
    let current_s = now.as_second() - now.as_second().rem_euclid(i64::from(step_s));
    let from_s = current_s - i64::from((points - 1) * step_s);
    let from = Timestamp::from_second(from_s).unwrap_or(Timestamp::UNIX_EPOCH);
    (from, step_s, usize::try_from(points).unwrap_or(1))
}

fn drawn(samples: &[Sample], from: Timestamp, step_s: u32, points: usize) -> Charts {
    let place = |sample: &Sample| {
        let since: SignedDuration = sample.at.duration_since(from);
        let step = usize::try_from(since.as_secs().div_euclid(i64::from(step_s))).ok()?;
        (step < points && !since.is_negative()).then_some(step)
    };
    let placed: Vec<_> = samples.iter().filter_map(|it| Some((place(it)?, it))).collect();
    let routes = routes(placed.iter().map(|(_, sample)| *sample));
    let mut by_route: BTreeMap<String, RouteCounts> = BTreeMap::new();
    let mut steps: Vec<Step> = (0..points).map(|_| Step::default()).collect();
    let none = RouteCounts { count: vec![0; points], errors: vec![0; points] };
    for (place, sample) in placed {
        let step = &mut steps[place];
        let is_error = sample.status >= 500;
        step.errors += u32::from(is_error);
        step.refused += u32::from((400..500).contains(&sample.status));
        let times = if sample.cold_start { &mut step.cold } else { &mut step.warm };
        times.push(sample.took_ms);
        let name = route(sample);
        let name = if routes.iter().any(|it| it == name) { name } else { OTHERS };
        if !by_route.contains_key(name) {
            by_route.insert(name.to_owned(), none.clone());
        }
        if let Some(counts) = by_route.get_mut(name) {
            counts.count[place] += 1;
            counts.errors[place] += u32::from(is_error);
        }
    }
    let mut total = Total::default();
    for step in steps {
        total.push(step);
    }
    Charts { from, step_s, routes, total, by_route }
}

impl Total {
    fn push(&mut self, mut step: Step) {
        self.errors.push(step.errors);
        self.refused.push(step.refused);
        for times in [&mut step.cold, &mut step.warm] {
            times.sort_unstable_by(f64::total_cmp);
        }
        self.cold.push(step.cold.len().try_into().unwrap_or(u32::MAX));
        self.warm.push(step.warm.len().try_into().unwrap_or(u32::MAX));
        self.cold_p50.push(percentile(&step.cold, 50));
        self.warm_p50.push(percentile(&step.warm, 50));
        let mut all = step.cold;
        all.append(&mut step.warm);
        all.sort_unstable_by(f64::total_cmp);
        self.count.push(all.len().try_into().unwrap_or(u32::MAX));
        self.p50.push(percentile(&all, 50));
        self.p99.push(percentile(&all, 99));
    }
}

/// The smallest value that so many percent of the sorted values do not exceed (nearest rank).
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// The most frequent routes, in the order of their frequency and then of their names.
fn routes<'a>(samples: impl Iterator<Item = &'a Sample>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for sample in samples {
        *counts.entry(route(sample)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    let frequent = counts.into_iter().take(ROUTES_MAX);
    frequent.map(|(name, _)| name.to_owned()).collect()
}

fn route(sample: &Sample) -> &str {
    sample.route.as_deref().unwrap_or("no route")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_s: i64, route: &str, status: u16, took_ms: f64) -> Sample {
        Sample {
            at: Timestamp::from_second(at_s).unwrap(),
            route: Some(route.to_owned()),
            status,
            took_ms,
            cold_start: took_ms > 100.0,
        }
    }

    #[test]
    fn steps_begin_at_multiples_and_are_at_most_150() {
        let now = Timestamp::from_second(1_000_007).unwrap();
        for (minutes, step_s, points) in [(1, 1, 60), (2, 1, 120), (10, 5, 120), (60, 30, 120)] {
            let (from, step, count) = steps(now, minutes);
            assert_eq!((step, count), (step_s, points), "{minutes}");
            assert_eq!(from.as_second() % i64::from(step_s), 0, "{minutes}");
            let end_s = from.as_second() + i64::from(step_s) * i64::try_from(points).unwrap();
            assert!(end_s > now.as_second() && end_s - i64::from(step_s) <= now.as_second());
        }
        for minutes in 1..=MINUTES_MAX {
            assert!(steps(now, minutes).2 <= 150, "{minutes}");
        }
    }

    #[test]
    fn each_request_is_counted_in_its_step_and_those_outside_are_not() {
        let from = Timestamp::from_second(1_000).unwrap();
        let samples = [
            sample(999, "GET /a", 200, 1.0),
            sample(1_000, "GET /a", 200, 1.0),
            sample(1_004, "GET /b", 500, 3.0),
            sample(1_005, "GET /a", 404, 200.0),
            sample(1_010, "GET /a", 200, 1.0),
        ];
        let charts = drawn(&samples, from, 5, 2);

        assert_eq!((charts.total.count, charts.total.errors), (vec![2, 1], vec![1, 0]));
        assert_eq!((charts.total.refused, charts.total.cold), (vec![0, 1], vec![0, 1]));
        assert_eq!(charts.total.warm, [2, 0]);
        assert_eq!(charts.total.cold_p50, [None, Some(200.0)]);
        assert_eq!(charts.routes, ["GET /a", "GET /b"]);
        assert_eq!(charts.by_route["GET /a"].count, [1, 1]);
        assert_eq!(charts.by_route["GET /b"].errors, [1, 0]);
    }

    #[test]
    fn percentiles_are_exact_values_and_none_without_requests() {
        let sorted: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 50), Some(100.0));
        assert_eq!(percentile(&sorted, 99), Some(198.0));
        assert_eq!(percentile(&sorted[..1], 99), Some(1.0));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn rare_routes_beyond_the_fortieth_are_counted_together() {
        let from = Timestamp::from_second(0).unwrap();
        let samples: Vec<_> =
            (0..60).map(|number| sample(0, &format!("GET /{number}"), 200, 1.0)).collect();
        let charts = drawn(&samples, from, 1, 1);
        assert_eq!((charts.routes.len(), charts.by_route.len()), (ROUTES_MAX, ROUTES_MAX + 1));
        assert_eq!(charts.by_route[OTHERS].count, [20]);
    }
}
