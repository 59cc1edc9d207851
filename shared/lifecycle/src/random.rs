//! Randomness: the only place where functions ask the operating system for it.

use uuid::{Builder, Uuid};

use crate::{Timestamp, clock};

/// The operating system provides no randomness. Linux does, once it has booted.
#[derive(Debug, thiserror::Error)]
#[error("the operating system provides no randomness")]
pub struct NoRandomness(#[source] getrandom::Error);

/// Fills the bytes with unguessable ones. In a simulation they follow from its seed.
///
/// # Errors
///
/// [`NoRandomness`].
#[expect(clippy::disallowed_methods, reason = "this is the source of randomness")]
pub fn fill(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    #[cfg(any(test, feature = "testing"))]
    if crate::surroundings::fill(bytes) {
        return Ok(());
    }
    getrandom::fill(bytes).map_err(NoRandomness)
}

/// Returns a number from 0 to `greatest`, for jitter.
///
/// # Panics
///
/// If the operating system provides no randomness.
pub fn up_to(greatest: u64) -> u64 {
    u64::from_be_bytes(bytes()) % greatest.saturating_add(1)
}

/// Returns a number from 0 to 1, without 1, for jitter.
///
/// # Panics
///
/// As [`up_to`].
#[expect(clippy::cast_precision_loss, reason = "both numbers have at most 53 bits")]
pub fn fraction() -> f64 {
    const BITS: u32 = 53;
    (u64::from_be_bytes(bytes()) >> (64 - BITS)) as f64 / (1_u64 << BITS) as f64
}

/// Returns a random UUID (RFC 9562, version 4).
///
/// # Panics
///
/// As [`up_to`].
pub fn uuid_v4() -> Uuid {
    Builder::from_random_bytes(bytes()).into_uuid()
}

/// Returns a UUID that begins with the time (RFC 9562, version 7). The time is the system's, also
/// while the emulator moves the clock.
///
/// # Panics
///
/// As [`up_to`].
#[expect(clippy::disallowed_methods, reason = "this is the source of randomness")]
pub fn uuid_v7() -> Uuid {
    #[cfg(any(test, feature = "testing"))]
    if let Some(now) = crate::surroundings::now() {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        return Builder::from_unix_timestamp_millis(millis, &bytes()).into_uuid();
    }
    Uuid::now_v7()
}

/// Enough for the ids of a request and its span, and for the seed of its moment.
const DRAW_BYTES: usize = 64;

/// Random bytes for the ids of one request, drawn at once: a draw is a call of the operating system.
#[derive(Debug)]
pub(crate) struct Draw {
    bytes: [u8; DRAW_BYTES],
    used: usize,
}

impl Draw {
    /// Draws.
    ///
    /// # Panics
    ///
    /// As [`up_to`].
    pub(crate) fn new() -> Self {
        Self { bytes: bytes(), used: 0 }
    }

    /// Returns bytes that nothing else gets. Draws again when too few are left.
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= DRAW_BYTES) };
        if self.used + N > DRAW_BYTES {
            *self = Self::new();
        }
        let mut taken = [0; N];
        taken.copy_from_slice(&self.bytes[self.used..self.used + N]);
        self.used += N;
        taken
    }

    /// Returns a UUID that begins with the time, as [`uuid_v7`]. Those of one millisecond are in no
    /// order.
    pub(crate) fn uuid_v7(&mut self) -> Uuid {
        let millis = u64::try_from(system_time().as_millis()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &self.take()).into_uuid()
    }
}

/// The system's time, or that of the simulation.
fn system_time() -> Timestamp {
    #[cfg(any(test, feature = "testing"))]
    if let Some(now) = crate::surroundings::now() {
        return now;
    }
    clock::unmoved().into()
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes).expect("Linux has randomness once it has booted");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_within_their_bounds_and_differ() {
        let numbers: Vec<u64> = (0..200).map(|_| up_to(3)).collect();
        assert!(numbers.iter().all(|number| *number <= 3), "{numbers:?}");
        assert!((0..=3).all(|number| numbers.contains(&number)), "{numbers:?}");
        assert_eq!(up_to(0), 0);
        assert_ne!(up_to(u64::MAX), up_to(u64::MAX));
        let fractions: Vec<f64> = (0..200).map(|_| fraction()).collect();
        assert!(fractions.iter().all(|it| (0.0..1.0).contains(it)), "{fractions:?}");
        assert!(fractions.iter().any(|it| *it < 0.5) && fractions.iter().any(|it| *it > 0.5));
    }

    #[test]
    fn a_draw_gives_no_byte_twice_and_is_repeated_when_it_is_used_up() {
        let mut draw = Draw::new();
        let all = draw.bytes;
        let (id, seed): ([u8; 10], [u8; 32]) = (draw.take(), draw.take());
        assert_eq!((&id[..], &seed[..]), (&all[..10], &all[10..42]));
        let other: [u8; 32] = draw.take();
        assert_ne!(other[..22], all[42..], "too few bytes were left");
        assert_eq!(draw.used, 32);
        let (first, second) = (draw.uuid_v7(), draw.uuid_v7());
        assert_ne!(first, second);
        assert_eq!(first.get_version_num(), 7);
    }

    #[test]
    fn ids_are_new_and_have_their_versions() {
        for (new, version) in [(uuid_v4 as fn() -> Uuid, 4), (uuid_v7 as fn() -> Uuid, 7)] {
            assert_ne!(new(), new());
            assert_eq!(new().get_version_num(), version);
        }
        assert!(uuid_v7() < uuid_v7(), "ordered by time");
    }
}
