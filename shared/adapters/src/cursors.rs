//! Cursors: positions in a list, in a form that clients hand back and cannot change.
//!
//! A cursor is base64url of a code and the position. The code is HMAC-SHA256 (RFC 2104), cut to 16
//! bytes, over the list that the position belongs to and the position itself: a cursor of another
//! list, another customer or another direction is as wrong as one that was made up.
//!
//! The key is the text of the secret [`CURSOR_KEY`](crate::CURSOR_KEY). Changing it costs nothing
//! but the cursors that are under way: they are refused, and their lists begin anew. For the five
//! minutes until every process has read it, one may refuse the cursors of another.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use lifecycle::failure::BoxError;
use lifecycle::paging::Cursor;
use sha2::Sha256;

/// 128 bits cannot be guessed, and a cursor stays short.
const CODE_BYTES: usize = 16;
/// A key that is shorter than the hash would be the weaker part (RFC 2104, section 3).
const KEY_BYTES_MIN: usize = 32;

/// The key that cursors are sealed with.
pub(crate) struct CursorKey(Hmac<Sha256>);

impl CursorKey {
    /// Reads the secret.
    pub(crate) fn parse(secret: &str) -> Result<Self, BoxError> {
        if secret.len() < KEY_BYTES_MIN {
            return Err(format!("is shorter than {KEY_BYTES_MIN} bytes").into());
        }
        Ok(Self(Hmac::new_from_slice(secret.as_bytes())?))
    }

    /// The cursor for a position in a list, which is told from others by its parts.
    pub(crate) fn seal(&self, list: &[&str], position: &str) -> String {
        let code = self.code(list, position).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode([&code[..CODE_BYTES], position.as_bytes()].concat())
    }

    /// The position that a cursor of this list stands for; `None` when it is none of ours.
    pub(crate) fn open(&self, list: &[&str], cursor: &Cursor) -> Option<String> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(cursor.as_str()).ok()?;
        let (code, position) = sealed.split_at_checked(CODE_BYTES)?;
        let position = str::from_utf8(position).ok()?;
        self.code(list, position).verify_truncated_left(code).ok()?;
        Some(position.to_owned())
    }

    /// Each part is preceded by its length, so that no two lists look the same.
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
    fn a_cursor_opens_in_its_own_list_alone() {
        let cursor = key().seal(&LIST, POSITION);
        assert_eq!(open(&key(), &LIST, &cursor).as_deref(), Some(POSITION));
        for other in [&["/orders", "desc"][..], &["/order", "sasc"], &["/orders"], &[]] {
            assert_eq!(open(&key(), other, &cursor), None, "{other:?}");
        }
        let other = CursorKey::parse(&"K".repeat(KEY_BYTES_MIN)).unwrap();
        assert_eq!(open(&other, &LIST, &cursor), None);
    }

    #[test]
    fn a_cursor_that_was_changed_anywhere_does_not_open() {
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
    fn a_short_key_is_refused_without_a_word_of_it() {
        let Err(error) = CursorKey::parse("hunter2") else { panic!("it must be refused") };
        assert!(!error.to_string().contains("hunter2"));
    }
}
