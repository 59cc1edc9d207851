//! The body as it was sent.

use bytes::Bytes;
use http::header;

use super::{Input, Schemas};
use crate::error::{FieldErrors, RequestError};
use crate::http::Request;
use crate::route::Route;

/// The body as it was sent, of any media type: for a signature over its bytes, or a format of one's
/// own. As an input, its value is the body itself.
///
/// At most [`BODY_BYTES_MAX`](crate::Endpoint::BODY_BYTES_MAX) bytes are read, and a larger body is
/// a 413. A content coding such as gzip stays as it is. A REST API passes on the bytes of the media
/// types that its `BinaryMediaTypes` names, and others as text.
///
/// A signature in a header is checked in stage 3b: the secret is read in stage 6.
///
/// ```
/// use lifecycle::FieldErrors;
/// use lifecycle::input::{Headers, RawBody};
///
/// #[derive(eserde::Deserialize, schemars::JsonSchema)]
/// #[serde(rename_all = "kebab-case")]
/// struct Signed {
///     x_signature: String,
/// }
///
/// /// `type Input = (Headers<Signed>, RawBody)`
/// struct Delivery {
///     signature: String,
///     body: RawBody,
/// }
///
/// impl TryFrom<(Signed, RawBody)> for Delivery {
///     type Error = FieldErrors;
///
///     fn try_from((signed, body): (Signed, RawBody)) -> Result<Self, FieldErrors> {
///         if body.content_type() != Some("application/json") {
///             return Err(FieldErrors::one("header.Content-Type", "must be application/json"));
///         }
///         Ok(Self { signature: signed.x_signature, body })
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBody {
    bytes: Bytes,
    content_type: Option<String>,
}

impl RawBody {
    /// Returns the bytes; none if there was no body.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the value of `Content-Type`; `None` if it is absent, or not visible ASCII.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }
}

impl Input for RawBody {
    type Value = Self;

    fn read(
        request: &Request,
        _: &Route,
        _: &mut FieldErrors,
    ) -> Result<Option<Self>, RequestError> {
        let content_type = request.header(header::CONTENT_TYPE).map(str::to_owned);
        Ok(Some(Self { bytes: request.body.clone(), content_type }))
    }

    fn describe(_: &Route, schemas: &mut Schemas) {
        schemas.body = Some(schemars::json_schema!({
            "type": "string",
            "contentMediaType": "application/octet-stream",
        }));
        schemas.body_type = Some("*/*");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROUTE: Route = Route::post("/deliveries");

    #[test]
    fn a_raw_body_has_the_bytes_that_the_client_sent() {
        for (body, is_base64, expected) in [
            (json!("{\"a\": 1}\r\n"), false, &b"{\"a\": 1}\r\n"[..]),
            (json!("iVBORw=="), true, b"\x89PNG"),
            (json!(null), false, b""),
        ] {
            let event = json!({
                "rawPath": "/deliveries", "body": body, "isBase64Encoded": is_base64,
                "headers": { "content-type": "image/png" },
                "requestContext": { "http": { "method": "POST", "sourceIp": "192.0.2.1" } },
            });
            let request = Request::from_event(event.to_string().as_bytes(), &ROUTE).unwrap();
            let read = RawBody::read(&request, &ROUTE, &mut FieldErrors::none()).unwrap().unwrap();
            assert_eq!((read.bytes(), read.content_type()), (expected, Some("image/png")));
        }
    }

    #[test]
    fn a_raw_body_of_any_type_is_described_and_never_415() {
        let mut schemas = Schemas::default();
        RawBody::describe(&ROUTE, &mut schemas);
        assert_eq!(schemas.body_offer(true), None);
        assert_eq!(serde_json::to_value(schemas).unwrap()["bodyType"], "*/*");
    }
}
