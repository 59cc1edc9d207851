//! Random numbers that are the same in each run.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// Random numbers by seed and place.
///
/// Each place has its own sequence. Calls run in parallel: with one shared sequence, each call
/// would get other numbers in every run.
#[derive(Debug, Default)]
pub(super) struct Dice {
    seed: u64,
    places: HashMap<String, fastrand::Rng>,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, places: HashMap::new() }
    }

    /// The place's next number, at least 0 and below 1.
    pub(super) fn throw(&mut self, place: &str) -> f64 {
        let seed = self.seed;
        let generator =
            self.places.entry(place.to_owned()).or_insert_with(|| generator(seed, place));
        generator.f64()
    }

    /// A number that depends only on seed and place: repeated calls return the same.
    pub(super) fn of_its_own(&self, place: &str) -> f64 {
        generator(self.seed, place).f64()
    }
}

/// The standard library's hash may change between releases; this one may not.
fn generator(seed: u64, place: &str) -> fastrand::Rng {
    let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(place).finalize();
    let state = digest.iter().take(8).fold(0, |state, byte| (state << 8) | u64::from(*byte));
    fastrand::Rng::with_seed(state)
}
