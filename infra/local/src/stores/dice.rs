//! Chance that can be repeated.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// Random numbers by seed and place.
///
/// Each place has a sequence of its own: calls race each other for their turn, so one sequence
/// for all would deal other numbers to each of them in every run.
#[derive(Debug, Default)]
pub(super) struct Dice {
    seed: u64,
    places: HashMap<String, fastrand::Rng>,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, places: HashMap::new() }
    }

    /// The place's next number, from 0 up to but without 1.
    pub(super) fn throw(&mut self, place: &str) -> f64 {
        let seed = self.seed;
        let generator =
            self.places.entry(place.to_owned()).or_insert_with(|| generator(seed, place));
        generator.f64()
    }

    /// The number of a place that is asked about again and must always get the same answer.
    pub(super) fn of_its_own(&self, place: &str) -> f64 {
        generator(self.seed, place).f64()
    }
}

/// The hash of the standard library may change between releases; this one may not.
fn generator(seed: u64, place: &str) -> fastrand::Rng {
    let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(place).finalize();
    let state = digest.iter().take(8).fold(0, |state, byte| (state << 8) | u64::from(*byte));
    fastrand::Rng::with_seed(state)
}
