//! What a decision may know of the world besides its facts: the time, and fresh ids.

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::Timestamp;

/// The moment a request is decided in.
///
/// Fixed once per request: when the lifecycle decides again after a write conflict, the clock
/// stands still and the ids are the same, so the second try wants the very same effects.
///
/// ```
/// use lifecycle::{Moment, Timestamp};
/// let moment = Moment::new(Timestamp::from_millis(0), [7; 32]);
/// assert_eq!(moment.id("order"), moment.id("order"));
/// assert_ne!(moment.id("order"), moment.id("event"));
/// ```
#[derive(Debug, Clone)]
pub struct Moment {
    now: Timestamp,
    seed: [u8; 32],
}

impl Moment {
    /// A moment of your own making, for tests; the lifecycle takes the clock and a random seed.
    pub fn new(now: Timestamp, seed: [u8; 32]) -> Self {
        Self { now, seed }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A fresh `UUIDv7` (RFC 9562), always the same for the same label of the same moment.
    pub fn id(&self, label: &str) -> Uuid {
        let digest = self.digest(b"id", label);
        let mut random = [0; 10];
        random.copy_from_slice(&digest[..10]);
        let millis = u64::try_from(self.now.as_millis()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// 256 unguessable bits, always the same for the same label of the same moment.
    pub fn secret(&self, label: &str) -> [u8; 32] {
        self.digest(b"secret", label)
    }

    fn digest(&self, purpose: &[u8], label: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.seed)
            .chain_update(purpose)
            .chain_update([0])
            .chain_update(label)
            .finalize()
            .into()
    }
}
