//! The time and the fresh ids that a decision may use.

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::Timestamp;
use crate::random::Draw;

/// The moment at which a request is decided.
///
/// It is fixed once per request. When the lifecycle decides again after a write conflict, time and
/// ids are the same, so that the second attempt has the same effects. A record of a queue gets the
/// same ids in every delivery, so that receivers can recognise duplicates.
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
    ids_from: Timestamp,
    seed: [u8; 32],
}

impl Moment {
    /// A moment for tests; the lifecycle uses the clock and a random seed.
    pub fn new(now: Timestamp, seed: [u8; 32]) -> Self {
        Self { now, ids_from: now, seed }
    }

    /// The moment of a request: the current time, and an unguessable seed.
    pub(crate) fn of_request(now: Timestamp, draw: &mut Draw) -> Self {
        #[cfg(any(test, feature = "testing"))]
        if let Some(seed) = crate::clock::fixed::seed() {
            return Self::new(now, seed);
        }
        Self::new(now, draw.take())
    }

    /// The moment of a record: the current time, and ids derived from its source and its id. A relay
    /// sends an event to several queues with one id, and their consumers must not share ids.
    pub(crate) fn of_record(now: Timestamp, source: &str, record_id: &str) -> Self {
        let seconds_of = |id: Uuid| id.get_timestamp().map(|time| time.to_unix());
        let ids_from = Uuid::parse_str(record_id).ok().and_then(seconds_of).map_or(
            Timestamp::from_millis(0),
            |(seconds, nanos)| {
                let seconds = i64::try_from(seconds).unwrap_or(0);
                Timestamp::from_millis(seconds * 1000 + i64::from(nanos / 1_000_000))
            },
        );
        let seed = Sha256::new().chain_update(source).chain_update([0]).chain_update(record_id);
        Self { now, ids_from, seed: seed.finalize().into() }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns a `UUIDv7` (RFC 9562), the same for the same label and moment.
    pub fn id(&self, label: &str) -> Uuid {
        self.uuid(self.random(label))
    }

    /// The same, with ids that ascend with a number below 4,096: it takes the place of the 12 random bits
    /// after the time.
    pub(crate) fn numbered_id(&self, label: &str, number: u16) -> Uuid {
        let mut random = self.random(label);
        random[..2].copy_from_slice(&number.to_be_bytes());
        self.uuid(random)
    }

    fn random(&self, label: &str) -> [u8; 10] {
        let digest = self.digest(b"id", label);
        let mut random = [0; 10];
        random.copy_from_slice(&digest[..10]);
        random
    }

    fn uuid(&self, random: [u8; 10]) -> Uuid {
        let millis = u64::try_from(self.ids_from.as_millis()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// Returns 256 unguessable bits, the same for the same label and moment.
    ///
    /// Only for endpoints: a record's moment can be computed from the record's id.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delivery_of_a_record_gets_the_same_ids() {
        let event_id = crate::random::uuid_v7().to_string();
        let [first, second] =
            [0, 60_000].map(|ms| Moment::of_record(Timestamp::from_millis(ms), "loans", &event_id));
        assert_eq!(first.id("mail"), second.id("mail"));
        assert_ne!(first.now(), second.now());
        let of_another_queue = Moment::of_record(first.now(), "fines", &event_id);
        assert_ne!(first.id("mail"), of_another_queue.id("mail"));
    }

    #[test]
    fn numbered_ids_ascend_with_their_numbers() {
        for seed in 0..20 {
            let moment = Moment::new(Timestamp::from_millis(5), [seed; 32]);
            let ids = [0, 1, 2, 99, 256].map(|number| moment.numbered_id("event", number));
            assert!(ids.is_sorted(), "{ids:?}");
            assert!(ids.iter().all(|id| id.get_version_num() == 7), "{ids:?}");
        }
    }

    #[test]
    fn an_id_of_a_record_has_the_time_of_its_event() {
        let event_id = "01945f5e-d280-7001-8000-000000000001";
        let time = |id: Uuid| id.get_timestamp().unwrap().to_unix();
        let id = Moment::of_record(Timestamp::from_millis(0), "loans", event_id).id("mail");
        assert_eq!(time(id), time(event_id.parse().unwrap()));
        assert_ne!(time(id).1, 0);
    }

    #[test]
    fn two_requests_never_share_an_id_or_a_secret() {
        let mut draw = Draw::new();
        let now = Timestamp::from_millis(0);
        let [first, second] = [(); 2].map(|()| Moment::of_request(now, &mut draw));
        assert_ne!(first.id("order"), second.id("order"));
        assert_ne!(first.secret("token"), second.secret("token"));
        assert_ne!(first.secret("token")[..10], first.id("token").as_bytes()[6..]);
    }
}
