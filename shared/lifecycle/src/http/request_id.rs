//! The id of a request, in the header `X-Request-Id`.

use http::HeaderName;

use crate::random::Draw;

/// The request id header of requests and responses.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The client's id if it is 1 to 128 visible ASCII characters, else a new one.
pub(crate) fn request_id_of(sent: Option<&str>, draw: &mut Draw) -> String {
    let valid =
        |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    sent.filter(valid).map_or_else(|| draw.uuid_v7().to_string(), str::to_owned)
}
