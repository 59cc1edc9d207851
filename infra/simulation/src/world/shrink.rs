//! Searches a smaller run that fails in the same way.

use std::collections::BTreeSet;

use super::report::{Report, Shrunk};
use super::simulation::Simulation;
use crate::services::Freedom;

impl Simulation {
    /// Searches a smaller run that fails in the same oracle: with fewer operations, then with fewer
    /// faults, with the same seed. Runs at most `runs_max` times.
    ///
    /// # Errors
    /// As [`Simulation::run`].
    pub fn shrink(&self, failed: &Report, runs_max: usize) -> Result<Shrunk, String> {
        let oracle = failed.failures.first().map(|failure| failure.oracle.clone());
        let mut search = Search {
            smallest: self.clone(),
            report: failed.clone(),
            oracle: oracle.unwrap_or_default(),
            runs: 0,
            runs_max,
        };
        search.operations()?;
        search.faults()?;
        let Search { smallest, report, runs, .. } = search;
        Ok(Shrunk { report, faults: smallest.faults, runs })
    }
}

struct Search {
    smallest: Simulation,
    report: Report,
    oracle: String,
    runs: usize,
    runs_max: usize,
}

impl Search {
    /// Leaves out the probes, then halves, quarters and so on of the operations.
    fn operations(&mut self) -> Result<(), String> {
        if !self.smallest.probes.is_empty() {
            let mut smaller = self.smallest.clone();
            smaller.probes.clear();
            self.fails(smaller)?;
        }
        let mut size = self.report.operations.len().div_ceil(2);
        while size > 0 {
            let mut start = 0;
            loop {
                let kept: Vec<usize> = self.report.operations.iter().map(|(it, _)| *it).collect();
                if start >= kept.len() || kept.len() == 1 {
                    break;
                }
                let end = kept.len().min(start + size);
                let without: BTreeSet<usize> = kept[start..end].iter().copied().collect();
                let mut smaller = self.smallest.clone();
                smaller.left_out.extend(without);
                if kept.len() > end - start && self.fails(smaller)? {
                    continue;
                }
                start = end;
            }
            size /= 2;
        }
        Ok(())
    }

    /// Leaves out one fault after the other, then the freedom of the services.
    fn faults(&mut self) -> Result<(), String> {
        let faults: Vec<_> = self.smallest.faults.faults().collect();
        for fault in faults {
            let mut smaller = self.smallest.clone();
            smaller.faults = smaller.faults.without(fault);
            self.fails(smaller)?;
        }
        if self.smallest.faults.freedom != Freedom::none() {
            let mut smaller = self.smallest.clone();
            smaller.faults.freedom = Freedom::none();
            self.fails(smaller)?;
        }
        Ok(())
    }

    /// Runs a smaller simulation; keeps it if it fails.
    fn fails(&mut self, smaller: Simulation) -> Result<bool, String> {
        if self.runs >= self.runs_max {
            return Ok(false);
        }
        self.runs += 1;
        let report = smaller.run()?;
        let fails = report.failures.iter().any(|failure| failure.oracle == self.oracle);
        if fails {
            self.report = report;
            self.smallest = smaller;
        }
        Ok(fails)
    }
}
