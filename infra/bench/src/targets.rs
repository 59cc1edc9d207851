//! The targets for the figures.

use std::fmt::Write as _;

use super::candidates::{AUTHORIZER, CACHED, CALLS, DEFAULTS, JSON, ORDER, TUNED, USER};
use super::figures::{Figures, median};

const BINARY_MB_MAX: f64 = 5.5;
const PEAK_MB_MAX: f64 = 7.5;
const LOCAL_P50_MS_MAX: f64 = 0.5;
const CALLBACK_P99_MS_MAX: f64 = 300.0;

/// A figure of one function, or its ratio to another function's, and its limit.
struct Target {
    what: &'static str,
    of: &'static str,
    beside: Option<&'static str>,
    figure: fn(&Figures) -> Option<f64>,
    at_most: f64,
}

const TARGETS: [Target; 9] = [
    ratio("create_order cold × bare_tuned", ORDER, TUNED, |it| median(&it.cold_ms), 1.15),
    ratio("create_order cold × bare_sdk", ORDER, DEFAULTS, |it| median(&it.cold_ms), 0.2),
    alone("create_order first answer ms", ORDER, |it| median(&it.first_ms), 2.0),
    alone("create_order first answer ms, 128 MB", ORDER, |it| median(&it.slow_first_ms), 3.0),
    ratio(
        "create_order cold × bare_sdk, 128 MB",
        ORDER,
        DEFAULTS,
        |it| median(&it.slow_cold_ms),
        1.0 / 60.0,
    ),
    ratio("get_product cached CPU × bare_json", CACHED, JSON, |it| median(&it.cpu_us), 1.35),
    ratio("create_order warm CPU × bare_order", ORDER, CALLS, |it| median(&it.cpu_us), 1.2),
    ratio("get_user warm CPU × bare_tuned", USER, TUNED, |it| median(&it.cpu_us), 1.2),
    ratio("authorizer cold × bare_tuned", AUTHORIZER, TUNED, |it| median(&it.cold_ms), 0.95),
];

const fn ratio(
    what: &'static str,
    of: &'static str,
    beside: &'static str,
    figure: fn(&Figures) -> Option<f64>,
    at_most: f64,
) -> Target {
    Target { what, of, beside: Some(beside), figure, at_most }
}

const fn alone(
    what: &'static str,
    of: &'static str,
    figure: fn(&Figures) -> Option<f64>,
    at_most: f64,
) -> Target {
    Target { what, of, beside: None, figure, at_most }
}

impl Target {
    /// The value, or `None` if it was not measured.
    fn reached(&self, figures: &[Figures]) -> Option<f64> {
        let of = |name| {
            let one = figures.iter().find(|one| one.candidate.name == name)?;
            (self.figure)(one)
        };
        let beside = self.beside.map_or(Some(1.0), of);
        Some(of(self.of)? / beside?)
    }
}

const HEADING: &str = "| target | at most | reached | |\n|---|---|---|---|\n";

/// The target of the local platform, with one client.
pub(super) fn local_verdict(p50_ms: Option<f64>) -> String {
    let verdict = verdict("authorized GET, p50 ms", LOCAL_P50_MS_MAX, p50_ms);
    format!("{HEADING}{verdict}")
}

/// The target of callbacks, sent one after the other.
pub(super) fn callback_verdict(p99_ms: Option<f64>) -> String {
    let verdict = verdict("POST /callback of 200 objects, p99 ms", CALLBACK_P99_MS_MAX, p99_ms);
    format!("{HEADING}{verdict}")
}

/// Each target with the measured value, in Markdown.
pub(super) fn verdicts(figures: &[Figures]) -> String {
    let mut text = HEADING.to_owned();
    for target in &TARGETS {
        text += &verdict(target.what, target.at_most, target.reached(figures));
    }
    let ours = || figures.iter().filter(|one| one.candidate.partner.is_some());
    let largest = |of: fn(&Figures) -> Option<f64>| ours().filter_map(of).reduce(f64::max);
    text += &verdict("largest measured binary MB", BINARY_MB_MAX, largest(|it| it.binary_mb));
    text += &verdict("highest measured peak MB", PEAK_MB_MAX, largest(|it| median(&it.peak_mb)));
    text
}

fn verdict(what: &str, at_most: f64, reached: Option<f64>) -> String {
    let mut line = format!("| {what} | {at_most:.3} | ");
    let _ = match reached {
        None => writeln!(line, "– | not measured |"),
        Some(reached) if reached <= at_most => writeln!(line, "{reached:.3} | met |"),
        Some(reached) => writeln!(line, "{reached:.3} | missed |"),
    };
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidates::named;

    #[test]
    fn a_target_is_met_missed_or_not_measured() {
        let names = [ORDER, TUNED].map(str::to_owned);
        let mut figures: Vec<_> = named(&names).unwrap().into_iter().map(Figures::of).collect();
        figures[0].cold_ms = vec![10.0];
        figures[1].cold_ms = vec![11.0];
        figures[1].first_ms = vec![2.5];
        let verdicts = verdicts(&figures);
        assert!(verdicts.contains("× bare_tuned | 1.150 | 1.100 | met |"), "{verdicts}");
        assert!(verdicts.contains("first answer ms | 2.000 | 2.500 | missed |"), "{verdicts}");
        assert!(verdicts.contains("× bare_sdk | 0.200 | – | not measured |"), "{verdicts}");
    }
}
