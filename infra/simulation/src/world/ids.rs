//! Drawn ids.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::random::Random;

/// A UUID of version 4.
pub(super) fn uuid(random: &mut impl Random) -> String {
    let (high, low) = (random.bits(), random.bits());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        ((low >> 48) & 0x3fff) | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

/// The id of a request of an HTTP API: sixteen characters of base64.
pub(super) fn request(random: &mut impl Random) -> String {
    let bytes = [random.bits().to_be_bytes(), random.bits().to_be_bytes()].concat();
    BASE64_STANDARD.encode(&bytes[..11])
}

/// The root of a trace: `Root=1-…`.
pub(super) fn trace_root(now: crate::Millis, random: &mut impl Random) -> String {
    let (high, low) = (random.bits(), random.bits() >> 32);
    format!("Root=1-{:08x}-{high:016x}{low:08x}", now.as_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seeded;

    #[test]
    fn ids_have_the_shapes_of_aws() {
        let random = &mut Seeded::new(1);
        let id = uuid(random);
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(&id[14..15], "4");
        assert_eq!(request(random).len(), 16);
        let root = trace_root(crate::Millis::seconds(1), random);
        assert!(root.starts_with("Root=1-00000001-"), "{root}");
        assert_eq!(root.len(), "Root=1-".len() + 8 + 1 + 24);
    }
}
