//! Operations at a constant rate.

use simulation::Millis;
use simulation::world::Planned;

/// Operations at a constant rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// The operations of a second.
    pub per_second: u64,
    /// The seconds: 2 at least, since the first one is not measured.
    pub seconds: u64,
    /// The seed of the world.
    pub seed: u64,
}

impl Load {
    /// The number of all operations.
    pub(super) fn count(self) -> u64 {
        self.per_second * self.seconds
    }

    /// All operations, by their numbers from 0, at equal intervals.
    pub(super) fn planned(self) -> Vec<Planned<u64>> {
        let at = |number| Millis(number * 1_000 / self.per_second.max(1));
        (0..self.count()).map(|number| Planned::after(at(number), number)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_spread_over_its_seconds() {
        let load = Load { per_second: 2_000, seconds: 2, seed: 1 };
        let planned = load.planned();
        assert_eq!(planned.len(), 4_000);
        let in_millisecond = |at| planned.iter().filter(|it| it.after == Millis(at)).count();
        assert_eq!([in_millisecond(0), in_millisecond(1), in_millisecond(1_999)], [2, 2, 2]);
        assert_eq!(planned.last().map(|it| (it.after, it.operation)), Some((Millis(1_999), 3_999)));
    }
}
