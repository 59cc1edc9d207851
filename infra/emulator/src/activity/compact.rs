//! Copies of bodies and headers for the records.
//!
//! Bodies and the values of headers are slices of the buffer that a connection reads into. A record
//! that kept a slice would keep all of the buffer, of at least 8 KiB, which no limit counts, and the
//! connection would need a new one for its next request.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

/// The size from which on a body is not copied: it fills most of its buffers.
const COPIED_BYTES_MAX: usize = 64 * 1024;

/// A body in a buffer of its size.
pub(super) fn compact_body(body: &Bytes) -> Bytes {
    if body.len() > COPIED_BYTES_MAX { body.clone() } else { Bytes::copy_from_slice(body) }
}

/// Headers whose values have buffers of their sizes.
pub(super) fn compact_headers(headers: &HeaderMap) -> HeaderMap {
    let mut compact = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let copied = HeaderValue::from_bytes(value.as_bytes());
        compact.append(name.clone(), copied.unwrap_or_else(|_| value.clone()));
    }
    compact
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT, HOST};

    use super::*;

    #[test]
    fn a_copy_is_equal_and_in_another_buffer() {
        let buffer = Bytes::from("localhost text/html */* {} and the rest of a buffer".to_owned());
        let part = |from: usize, to: usize| {
            HeaderValue::from_maybe_shared(buffer.slice(from..to)).unwrap()
        };
        let mut headers = HeaderMap::new();
        headers.append(HOST, part(0, 9));
        headers.append(ACCEPT, part(10, 19));
        headers.append(ACCEPT, part(20, 23));
        let body = buffer.slice(24..26);

        let (kept_headers, kept_body) = (compact_headers(&headers), compact_body(&body));

        assert_eq!((&kept_headers, &kept_body), (&headers, &body));
        let inside = buffer.as_ptr_range();
        assert!(inside.contains(&body.as_ptr()) && !inside.contains(&kept_body.as_ptr()));
        for (name, value) in &kept_headers {
            assert!(!inside.contains(&value.as_bytes().as_ptr()), "{name}");
        }
    }

    #[test]
    fn a_large_body_is_not_copied() {
        let body = Bytes::from(vec![0; COPIED_BYTES_MAX + 1]);
        assert_eq!(compact_body(&body).as_ptr(), body.as_ptr());
    }
}
