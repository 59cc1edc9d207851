//! The outcome of a run, from libFuzzer's output.

use std::path::PathBuf;

/// The beginning of the line with the path of a finding.
const FOUND: &str = "Test unit written to ";

/// Parts of the lines with the reason of a finding.
const REASONS: [&str; 2] = ["panicked at", "ERROR: libFuzzer"];

/// The outcome of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    target: String,
    /// The number of inputs that ran.
    pub(super) runs: u64,
    runs_per_s: u64,
    edges: u64,
    corpus: u64,
    /// The files with the inputs of findings.
    pub(super) findings: Vec<PathBuf>,
    /// The lines with their reasons.
    pub(super) reasons: Vec<String>,
}

impl Outcome {
    /// Reads the output of a program.
    pub(super) fn of(target: &str, printed: &str) -> Self {
        let mut outcome = Self { target: target.to_owned(), ..Self::default() };
        for line in printed.lines() {
            if let Some(count) = after(line, "stat::number_of_executed_units:") {
                outcome.runs = number(count);
            } else if let Some(rate) = after(line, "stat::average_exec_per_sec:") {
                outcome.runs_per_s = number(rate);
            } else if let Some((_, path)) = line.split_once(FOUND) {
                outcome.findings.push(path.trim().into());
            } else if REASONS.iter().any(|reason| line.contains(reason)) {
                outcome.reasons.push(line.to_owned());
            } else if line.starts_with('#') {
                // The last such line counts: `#8192 pulse cov: 120 ft: 300 corp: 14/2Kb …`.
                outcome.edges = after(line, " cov: ").map_or(outcome.edges, number);
                outcome.corpus = after(line, " corp: ").map_or(outcome.corpus, number);
            }
        }
        outcome
    }

    /// The line about the run.
    pub(super) fn line(&self) -> String {
        let Self { target, runs, runs_per_s, edges, corpus, findings, .. } = self;
        let findings = findings.len();
        format!(
            "{target:<12} {runs:>9} runs, {runs_per_s:>6}/s, {edges:>6} edges, \
             corpus {corpus:>5}, {findings} findings"
        )
    }
}

fn after<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_once(name).map(|(_, rest)| rest)
}

/// The number at the beginning of a text.
fn number(text: &str) -> u64 {
    let text = text.trim_start();
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: &str = "INFO: seed corpus: files: 12 min: 10b max: 900b total: 5000b rss: 90Mb\n\
        #13 INITED cov: 100 ft: 200 corp: 12/5000b exec/s: 0 rss: 90Mb\n\
        #4096 pulse  cov: 120 ft: 300 corp: 14/2Kb lim: 900 exec/s: 2048 rss: 95Mb\n\
        #9000 DONE   cov: 130 ft: 310 corp: 15/2Kb lim: 900 exec/s: 2000 rss: 99Mb\n\
        stat::number_of_executed_units: 9000\n\
        stat::average_exec_per_sec:     2000\n";

    #[test]
    fn a_quiet_run_has_its_counts_and_no_finding() {
        let outcome = Outcome::of("token", QUIET);
        assert_eq!((outcome.runs, outcome.runs_per_s), (9000, 2000));
        assert_eq!((outcome.edges, outcome.corpus), (130, 15));
        assert!(outcome.findings.is_empty());
        assert!(outcome.line().ends_with("130 edges, corpus    15, 0 findings"));
    }

    #[test]
    fn a_finding_has_its_path() {
        let found = "#77 NEW cov: 9 ft: 9 corp: 2/9b\n\
            ==1== ERROR: libFuzzer: deadly signal\n\
            artifact_prefix='x/'; Test unit written to x/crash-0123\n\
            stat::number_of_executed_units: 78\n";
        let outcome = Outcome::of("token", found);
        assert_eq!(outcome.findings, [PathBuf::from("x/crash-0123")]);
        assert_eq!(outcome.reasons, ["==1== ERROR: libFuzzer: deadly signal"]);
        assert_eq!((outcome.runs, outcome.edges), (78, 9));
    }
}
