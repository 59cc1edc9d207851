//! The measured values, and statistics of them.

use std::time::Duration;

use super::candidates::Candidate;

/// The values of one candidate: one per start, or one per invocation if so documented.
pub(super) struct Figures {
    pub(super) candidate: &'static Candidate,
    /// From the start of the process to its request for the first event.
    pub(super) init_ms: Vec<f64>,
    /// From the first event to its response.
    pub(super) first_ms: Vec<f64>,
    /// The sum of both.
    pub(super) cold_ms: Vec<f64>,
    /// User and system time of the process until it is ready for its second event. It stays
    /// comparable when other programs keep the cores busy.
    pub(super) cold_cpu_ms: Vec<f64>,
    /// From each later event to its response.
    pub(super) warm_ms: Vec<f64>,
    /// User and system time of the process, per warm invocation.
    pub(super) cpu_us: Vec<f64>,
    pub(super) peak_mb: Vec<f64>,
    pub(super) slow_first_ms: Vec<f64>,
    pub(super) slow_cold_ms: Vec<f64>,
    pub(super) slow_second_ms: Vec<f64>,
    pub(super) binary_mb: Option<f64>,
    /// Calls to the services per warm invocation, in the last start.
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

/// The value that this percentage of the values does not exceed; `None` without values.
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
    fn quantiles_are_measured_values() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(median(&values), Some(100.0));
        assert_eq!(p99(&values), Some(198.0));
        assert_eq!(p99(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
    }
}
