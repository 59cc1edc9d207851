//! Random numbers that a seed decides.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::Millis;

/// A source of random numbers. All decisions of a simulation come from one.
pub trait Random {
    /// The next 64 random bits.
    fn bits(&mut self) -> u64;

    /// A number below `limit`; 0 if the limit is 0.
    fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 {
            return 0;
        }
        // The high half of the product is almost uniform: its error is `limit` in 2^64.
        let product = u128::from(self.bits()) * u128::from(limit);
        u64::try_from(product >> 64).unwrap_or_default()
    }

    /// An index of a slice with `len` elements; 0 if it is empty.
    fn index(&mut self, len: usize) -> usize {
        let limit = u64::try_from(len).unwrap_or(u64::MAX);
        usize::try_from(self.below(limit)).unwrap_or_default()
    }

    /// Whether an event of this chance happens. Draws nothing if the result is certain.
    fn happens(&mut self, chance: Chance) -> bool {
        match chance.per_million {
            0 => false,
            1_000_000.. => true,
            some => self.below(1_000_000) < u64::from(some),
        }
    }

    /// A duration from 0 to `max`. Draws nothing if `max` is 0.
    fn up_to(&mut self, max: Millis) -> Millis {
        match max.0 {
            0 => max,
            _ => Millis(self.below(max.0.saturating_add(1))),
        }
    }
}

/// A probability, exact to a millionth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chance {
    per_million: u32,
}

impl Chance {
    /// The event never happens.
    pub const NEVER: Self = Self { per_million: 0 };
    /// The event always happens.
    pub const ALWAYS: Self = Self { per_million: 1_000_000 };

    /// So many cases in a million; more than a million is always.
    pub const fn per_million(per_million: u32) -> Self {
        Self { per_million }
    }

    /// So many cases in a hundred.
    pub const fn percent(percent: u32) -> Self {
        Self { per_million: percent.saturating_mul(10_000) }
    }
}

/// `ChaCha8` with a seed.
///
/// Its output is specified and the same on each platform and in each version, so that a seed found
/// today fails in the same way after an update. `fastrand` changes its output between versions.
/// Separate streams of one seed do not influence each other: a further decision in one of them
/// leaves the decisions of the others alone.
#[derive(Debug, Clone)]
pub struct Seeded(ChaCha8Rng);

impl Seeded {
    /// The random numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self::stream(seed, 0)
    }

    /// One of the independent streams of a seed.
    pub fn stream(seed: u64, stream: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream);
        Self(generator)
    }
}

impl Random for Seeded {
    fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_has_the_same_numbers_in_each_version() {
        let mut random = Seeded::new(0);
        // The first block of ChaCha8 with a key of zeros, as its reference prints it.
        assert_eq!(random.bits().to_le_bytes(), [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);
    }

    #[test]
    fn the_streams_of_a_seed_differ() {
        let first = |stream| Seeded::stream(1, stream).bits();
        assert_ne!(first(0), first(1));
        assert_eq!(first(1), first(1));
    }

    #[test]
    fn a_number_is_below_its_limit_and_all_are_drawn() {
        let mut random = Seeded::new(3);
        let drawn: std::collections::BTreeSet<u64> = (0..200).map(|_| random.below(5)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn a_chance_of_none_or_all_is_certain() {
        let mut random = Seeded::new(3);
        assert!((0..100).all(|_| !random.happens(Chance::NEVER)));
        assert!((0..100).all(|_| random.happens(Chance::ALWAYS)));
        let count = (0..10_000).filter(|_| random.happens(Chance::percent(30))).count();
        assert!((2_700..3_300).contains(&count), "{count}");
    }
}
