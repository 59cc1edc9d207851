//! SHA-256 in the two ways it is used here.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// SHA-256 over parts, in hexadecimal. Each part is preceded by its length, so that no two lists
/// of parts look the same.
pub(crate) fn hash_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    hex(&digest.finalize())
}

/// The first half of SHA-256, in hexadecimal: enough to tell things apart.
pub(crate) fn short_hash_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = hash_of(parts);
    hash.truncate(32);
    hash
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
