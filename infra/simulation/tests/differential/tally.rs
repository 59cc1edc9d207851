//! The counts of a run.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display, Formatter, Result};

/// The number of compared operations, and of known differences by their reasons.
#[derive(Debug, Default)]
pub(super) struct Tally {
    compared: u64,
    /// Operations after a known difference that leaves other contents: the rest of their round.
    left_out: u64,
    explained: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn compared(&mut self) {
        self.compared += 1;
    }

    pub(super) fn explained(&mut self, reason: impl Debug) {
        *self.explained.entry(format!("{reason:?}")).or_default() += 1;
    }

    pub(super) fn left_out(&mut self, operations: usize) {
        self.left_out += u64::try_from(operations).unwrap();
    }

    /// Prints the counts.
    ///
    /// # Panics
    /// If known differences leave out more than one of ten operations.
    #[expect(clippy::print_stdout, reason = "the counts are the result of a long run")]
    pub(super) fn end(&self, name: &str) {
        println!("{name}: {self}");
        assert!(self.left_out * 9 <= self.compared, "{name}: too few are compared: {self}");
    }
}

impl Display for Tally {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        let Self { compared, left_out, explained } = self;
        write!(
            formatter,
            "{compared} operations compared, 0 unexplained differences, explained {explained:?}, \
             {left_out} left out after explained ones"
        )
    }
}
