//! Cursors: positions in a list, in a form that clients return and cannot change.
//!
//! A cursor is base64url of a code and the position. The code is HMAC-SHA256 (RFC 2104), cut to 16
//! bytes, over the list and the position. So a cursor of another list, customer or direction is
//! rejected like an invented one.
//!
//! The key is the text of the secret [`CURSOR_KEY`](crate::CURSOR_KEY). Changing it invalidates the
//! cursors that clients hold: their lists begin again. Until every process has read the new key,
//! within five minutes, one may reject the cursors of another.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use lifecycle::error::BoxError;
use lifecycle::paging::Cursor;
use sha2::Sha256;

/// 128 bits cannot be guessed, and the cursor stays short.
const CODE_BYTES: usize = 16;
/// A key shorter than the hash would be the weaker part (RFC 2104, section 3).
const KEY_BYTES_MIN: usize = 32;

/// The key that authenticates cursors.
pub(crate) struct CursorKey(Hmac<Sha256>);

impl CursorKey {
    /// Reads the secret.
    pub(crate) fn parse(secret: &str) -> Result<Self, BoxError> {
        if secret.len() < KEY_BYTES_MIN {
            return Err(format!("is shorter than {KEY_BYTES_MIN} bytes").into());
        }
        Ok(Self(Hmac::new_from_slice(secret.as_bytes())?))
    }

    /// The cursor for a position in a list. The parts of `list` identify the list.
    pub(crate) fn seal(&self, list: &[&str], position: &str) -> String {
        let code = self.code(list, position).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode([&code[..CODE_BYTES], position.as_bytes()].concat())
    }

    /// The position in a cursor; `None` when the cursor was not issued for this list.
    pub(crate) fn open(&self, list: &[&str], cursor: &Cursor) -> Option<String> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(cursor.as_str()).ok()?;
        let (code, position) = sealed.split_at_checked(CODE_BYTES)?;
        let position = str::from_utf8(position).ok()?;
        self.code(list, position).verify_truncated_left(code).ok()?;
        Some(position.to_owned())
    }

    /// Each part is preceded by its length, so that different lists never give the same input.
    fn code(&self, list: &[&str], position: &str) -> Hmac<Sha256> {
        list.iter().chain([&position]).fold(self.0.clone(), |code, part| {
            code.chain_update(part.len().to_be_bytes()).chain_update(part)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: [&str; 2] = ["/orders", "asc"];
    const POSITION: &str = "2026-01-31T23:59:59.000Z#0197f5a4-0000-7000-8000-00000000000a";

    fn key() -> CursorKey {
        CursorKey::parse(&"k".repeat(KEY_BYTES_MIN)).unwrap()
    }

    fn open(key: &CursorKey, list: &[&str], cursor: &str) -> Option<String> {
        key.open(list, &Cursor::try_from(cursor.to_owned()).unwrap())
    }

    #[test]
    fn a_cursor_opens_only_in_its_own_list() {
        let cursor = key().seal(&LIST, POSITION);
        assert_eq!(open(&key(), &LIST, &cursor).as_deref(), Some(POSITION));
        for other in [&["/orders", "desc"][..], &["/order", "sasc"], &["/orders"], &[]] {
            assert_eq!(open(&key(), other, &cursor), None, "{other:?}");
        }
        let other = CursorKey::parse(&"K".repeat(KEY_BYTES_MIN)).unwrap();
        assert_eq!(open(&other, &LIST, &cursor), None);
    }

    #[test]
    fn a_changed_cursor_does_not_open() {
        let cursor = key().seal(&LIST, POSITION);
        for at in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(open(&key(), &LIST, &changed), None, "{changed}");
        }
        for at in 1..cursor.len() {
            assert_eq!(open(&key(), &LIST, &cursor[..at]), None, "{at}");
        }
        for made_up in ["=", "x", "\u{1F980}", "AAAA", &format!("{cursor}A"), &format!("{cursor}=")]
        {
            assert_eq!(open(&key(), &LIST, made_up), None, "{made_up}");
        }
    }

    #[test]
    fn a_short_key_is_rejected_and_not_quoted_in_the_error() {
        let Err(error) = CursorKey::parse("hunter2") else {
            panic!("a short key must be rejected")
        };
        assert!(!error.to_string().contains("hunter2"));
    }
}
