//! The ids of objects, which the object service gives: whole numbers of 64 bits.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of an object, as the object service knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ObjectId(i64);

impl From<i64> for ObjectId {
    fn from(id: i64) -> Self {
        Self(id)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

lifecycle::checked!(ObjectId, i64, { "type": "integer", "format": "int64" });

/// 1 to 200 ids, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<ObjectId>")]
pub struct ObjectIds(Vec<ObjectId>);

impl ObjectIds {
    /// The maximum number of ids, repeated ones included.
    pub const LENGTH_MAX: usize = 200;

    /// The ids, in the client's order.
    pub fn as_slice(&self) -> &[ObjectId] {
        &self.0
    }
}

impl From<ObjectId> for ObjectIds {
    fn from(id: ObjectId) -> Self {
        Self(vec![id])
    }
}

impl TryFrom<Vec<ObjectId>> for ObjectIds {
    type Error = &'static str;

    fn try_from(mut ids: Vec<ObjectId>) -> Result<Self, Self::Error> {
        if !(1..=Self::LENGTH_MAX).contains(&ids.len()) {
            return Err("must have 1 to 200 items");
        }
        let mut known = HashSet::new();
        ids.retain(|id| known.insert(*id));
        Ok(Self(ids))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: impl IntoIterator<Item = i64>) -> Vec<ObjectId> {
        ids.into_iter().map(ObjectId).collect()
    }

    #[test]
    fn a_list_has_1_to_200_ids_and_repeated_ones_count() {
        for (count, taken) in [(0, false), (1, true), (200, true), (201, false)] {
            assert_eq!(ObjectIds::try_from(ids(0..count)).is_ok(), taken, "{count}");
            let repeated = ids((0..count).map(|_| 7));
            assert_eq!(ObjectIds::try_from(repeated).is_ok(), taken, "{count} times the same");
        }
    }

    #[test]
    fn an_id_is_shown_as_its_number() {
        assert_eq!(ObjectId::from(i64::MIN).to_string(), "-9223372036854775808");
    }

    #[test]
    fn repeated_ids_are_kept_once_in_the_clients_order() {
        let kept = ObjectIds::try_from(ids([3, 1, 3, i64::MIN, 1])).unwrap();
        assert_eq!(kept.as_slice(), ids([3, 1, i64::MIN]));
    }
}
