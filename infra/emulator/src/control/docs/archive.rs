//! Reads Swagger UI from its crate's zip archive.
//!
//! A zip archive holds each file as a raw DEFLATE stream with its CRC and length. A gzip member
//! consists of the same parts. So files are served compressed, and nothing is inflated here.

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

/// A zip archive in memory (APPNOTE.TXT 6.3.10, without zip64 and encryption).
pub(super) struct Archive(&'static [u8]);

/// A file of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// One gzip member (RFC 1952).
    Gzip(Vec<u8>),
    /// The uncompressed file.
    Stored(&'static [u8]),
}

/// The length of the end of the central directory, without a comment.
const END_BYTES: usize = 22;
/// The length of a file's entry in the central directory, without its name.
const CENTRAL_BYTES: usize = 46;
/// The length of a file's local header, without its name.
const LOCAL_BYTES: usize = 30;

const END_SIGNATURE: usize = 0x0605_4b50;
const CENTRAL_SIGNATURE: usize = 0x0201_4b50;
const LOCAL_SIGNATURE: usize = 0x0403_4b50;

const METHOD_STORED: usize = 0;
const METHOD_DEFLATED: usize = 8;

/// Deflated, no flags, no time, unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

impl Archive {
    pub(super) const SWAGGER_UI: Self = Self(SWAGGER_UI_VENDORED);

    /// The file of this name, in the release's root or its `dist` folder.
    pub(super) fn find(&self, name: &str) -> Option<Entry> {
        let end = self.end()?;
        let mut place = self.number(end + 16, 4)?;
        while self.number(place, 4)? == CENTRAL_SIGNATURE {
            let length = |offset| self.number(place + offset, 2);
            let (name_bytes, extra_bytes, comment_bytes) = (length(28)?, length(30)?, length(32)?);
            let path = self.bytes(place + CENTRAL_BYTES, name_bytes)?;
            let path = std::str::from_utf8(path).ok()?;
            let (_, path) = path.split_once('/')?;
            // Folders also have entries; their names end with a slash.
            if !name.is_empty() && path.strip_prefix("dist/").unwrap_or(path) == name {
                return self.entry(place);
            }
            place += CENTRAL_BYTES + name_bytes + extra_bytes + comment_bytes;
        }
        None
    }

    /// The position of the end of the central directory: a comment may follow it.
    fn end(&self) -> Option<usize> {
        let last = self.0.len().checked_sub(END_BYTES)?;
        (0..=last).rev().find(|place| self.number(*place, 4) == Some(END_SIGNATURE))
    }

    /// The file of an entry of the central directory.
    fn entry(&self, central: usize) -> Option<Entry> {
        let method = self.number(central + 10, 2)?;
        let crc_and_length = [self.bytes(central + 16, 4)?, self.bytes(central + 24, 4)?].concat();
        let packed_bytes = self.number(central + 20, 4)?;
        let local = self.number(central + 42, 4)?;
        if self.number(local, 4)? != LOCAL_SIGNATURE {
            return None;
        }
        let (name_bytes, extra_bytes) = (self.number(local + 26, 2)?, self.number(local + 28, 2)?);
        let packed = self.bytes(local + LOCAL_BYTES + name_bytes + extra_bytes, packed_bytes)?;
        match method {
            METHOD_STORED => Some(Entry::Stored(packed)),
            METHOD_DEFLATED => {
                Some(Entry::Gzip([&GZIP_HEADER, packed, &crc_and_length[..]].concat()))
            }
            _ => None,
        }
    }

    /// A number of two or four bytes, little-endian.
    fn number(&self, place: usize, length: usize) -> Option<usize> {
        let bytes = self.bytes(place, length)?;
        Some(bytes.iter().rev().fold(0, |number, byte| (number << 8) | usize::from(*byte)))
    }

    fn bytes(&self, place: usize, length: usize) -> Option<&'static [u8]> {
        self.0.get(place..place.checked_add(length)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deflated_file_is_one_gzip_member_with_its_length_at_the_end() {
        let Some(Entry::Gzip(script)) = Archive::SWAGGER_UI.find("swagger-ui-bundle.js") else {
            panic!("the script is not deflated");
        };
        assert_eq!(script[..3], [0x1f, 0x8b, 8]);
        let length = script.last_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        assert!(length.is_some_and(|length| length > 1_000_000), "{length:?}");
    }

    #[test]
    fn a_small_file_is_stored_uncompressed() {
        let Some(Entry::Stored(picture)) = Archive::SWAGGER_UI.find("favicon-32x32.png") else {
            panic!("the picture is not stored");
        };
        assert_eq!(&picture[1..4], b"PNG");
    }

    #[test]
    fn a_file_that_the_archive_does_not_have_is_none() {
        assert_eq!(Archive::SWAGGER_UI.find("swagger-ui.html"), None);
        assert_eq!(Archive::SWAGGER_UI.find(""), None);
        assert_eq!(Archive(b"PK").find("index.html"), None);
        assert_eq!(Archive(&[0; 64]).find("index.html"), None);
    }
}
