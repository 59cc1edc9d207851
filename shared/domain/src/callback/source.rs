//! Groups of source addresses, for a fair share of the queue.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One of 65 536 groups of source addresses, by their hash: enough for sources to share a queue
/// fairly, and too few to reveal the address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceGroup(String);

impl SourceGroup {
    /// The group of a source address.
    pub fn of(source: &str) -> Self {
        let hash = Sha256::digest(source);
        Self(format!("{:02x}{:02x}", hash[0], hash[1]))
    }

    /// The message group: four hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_always_has_the_same_group_and_others_rarely_share_it() {
        let of = |number: u32| SourceGroup::of(&format!("192.0.2.{number}"));
        assert_eq!(of(1), of(1));
        assert_eq!(of(1).as_str().len(), 4);
        assert!((2..250).all(|number| of(number) != of(1)));
    }
}
