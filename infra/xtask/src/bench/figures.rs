//! What was measured, and what is said of it.

use std::time::Duration;

use super::candidates::Candidate;

/// Everything measured of one candidate: a value a start, or an invocation where it says so.
pub(super) struct Figures {
    pub(super) candidate: &'static Candidate,
    /// From the start of the process until it asks for its first event.
    pub(super) init_ms: Vec<f64>,
    /// From the first event to its answer.
    pub(super) first_ms: Vec<f64>,
    /// Both together.
    pub(super) cold_ms: Vec<f64>,
    /// User and system time of the process until it has answered and is ready again: what
    /// remains comparable where others keep the cores busy.
    pub(super) cold_cpu_ms: Vec<f64>,
    /// From every later event to its answer.
    pub(super) warm_ms: Vec<f64>,
    /// User and system time of the process, per warm invocation.
    pub(super) cpu_us: Vec<f64>,
    pub(super) peak_mb: Vec<f64>,
    pub(super) slow_first_ms: Vec<f64>,
    pub(super) slow_cold_ms: Vec<f64>,
    pub(super) slow_second_ms: Vec<f64>,
    pub(super) binary_mb: Option<f64>,
    /// Calls to the services per warm invocation, of the last start.
    pub(super) calls: Option<f64>,
}

impl Figures {
    pub(super) fn of(candidate: &'static Candidate) -> Self {
        Self {
            candidate,
            init_ms: Vec::new(),
            first_ms: Vec::new(),
            cold_ms: Vec::new(),
            cold_cpu_ms: Vec::new(),
            warm_ms: Vec::new(),
            cpu_us: Vec::new(),
            peak_mb: Vec::new(),
            slow_first_ms: Vec::new(),
            slow_cold_ms: Vec::new(),
            slow_second_ms: Vec::new(),
            binary_mb: None,
            calls: None,
        }
    }
}

pub(super) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

pub(super) fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 50)
}

pub(super) fn p99(values: &[f64]) -> Option<f64> {
    quantile(values, 99)
}

/// The value that this percentage of the values does not exceed; none where nothing was measured.
pub(super) fn quantile(values: &[f64], percent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(median(&values), Some(100.0));
        assert_eq!(p99(&values), Some(198.0));
        assert_eq!(p99(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
    }
}
