//! Random numbers for each purpose, so that a decision for one leaves the others alone.

use sha2::{Digest, Sha256};

use crate::random::Seeded;

/// The random numbers of a seed, by purpose.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams {
    seed: u64,
}

impl Streams {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The numbers for a purpose, such as `environment GetUserFunction#3`.
    pub(super) fn of(self, purpose: &str) -> Seeded {
        let hash = Sha256::digest(purpose);
        let stream = hash.iter().take(8).fold(0, |stream, byte| stream << 8 | u64::from(*byte));
        Seeded::stream(self.seed, stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn two_purposes_have_separate_numbers() {
        let first = |purpose: &str| Streams::new(1).of(purpose).bits();
        assert_eq!(first("a"), first("a"));
        assert_ne!(first("a"), first("b"));
    }
}
