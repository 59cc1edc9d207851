//! Stage 9: the response of an endpoint. Its status is part of its type.

mod prepared;
mod view;

use http::{HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

pub use self::prepared::Prepared;
pub use self::view::{Bare, Body, NoBody, Page, View};
use crate::EntityTag;
use crate::error::{BoxError, check_media_type};

/// Besides characters beyond ASCII: blanks, and characters that no URL contains (RFC 3986).
const NOT_IN_URLS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The response of an endpoint, of one status, or of two as a [`Result`].
///
/// The status is part of the type, so that the endpoint's description cannot contradict it.
#[diagnostic::on_unimplemented(
    message = "stage 9: `{Self}` is not a reply",
    label = "has no status",
    note = "use `reply::Ok<V>`, `reply::Created<V>`, `reply::Accepted<V>`, `reply::NoContent`, or a `Result` of two replies"
)]
pub trait Reply: Sized {
    /// The status of success.
    const STATUS: StatusCode;

    /// The status of a reply that reports a failure in the same shape.
    const FAILURE_STATUS: Option<StatusCode> = None;

    /// The shape of the reply's data.
    type View: View;

    /// Serialises the reply.
    ///
    /// # Errors
    ///
    /// When the view cannot be written: a defect of its type.
    fn serialise(self) -> Result<Serialised, BoxError>;
}

/// A serialised reply.
#[derive(Debug)]
pub struct Serialised {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) media_type: &'static str,
    pub(crate) body: Body,
}

/// A reply with a status, headers, and a body in one of the API's shapes.
///
/// Endpoints use it by the name of its status: [`Ok`], [`Created`], [`Accepted`],
/// [`ServiceUnavailable`]. [`NoContent`] is the reply without a body.
#[derive(Debug)]
pub struct WithStatus<const STATUS: u16, V> {
    headers: Vec<(HeaderName, HeaderValue)>,
    view: V,
}

/// A reply with status 200 (OK).
pub type Ok<V> = WithStatus<200, V>;

/// A reply with status 201 (Created), and `Location`: see [`at`](WithStatus::at).
pub type Created<V> = WithStatus<201, V>;

/// A reply with status 202 (Accepted): the work follows.
pub type Accepted<V> = WithStatus<202, V>;

/// A reply with status 503 (Service Unavailable): a failure in the shape of the success.
pub type ServiceUnavailable<V> = WithStatus<503, V>;

impl<const STATUS: u16, V> WithStatus<STATUS, V> {
    /// A reply with this data.
    pub fn of(view: V) -> Self {
        Self { headers: Vec::new(), view }
    }

    /// Adds a header. Headers of one name are all sent, such as several `Set-Cookie`, which are
    /// never joined. A `Content-Type` replaces that of the view.
    ///
    /// ```
    /// use http::{HeaderValue, header};
    /// use lifecycle::reply;
    ///
    /// let cookie = HeaderValue::from_static("theme=dark; Path=/; Secure; HttpOnly");
    /// let reply = reply::Ok::of("saved").header(header::SET_COOKIE, cookie);
    /// # let _ = reply;
    /// ```
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sets the entity tag of the body. Without one, the tag of a response to a `GET` is a hash of
    /// its body.
    ///
    /// A response to a `PUT` must not have one, unless the resource equals the request's body byte
    /// for byte (RFC 9110, 9.3.4).
    #[must_use]
    pub fn tagged(self, tag: EntityTag) -> Self {
        self.header(header::ETAG, tag.0)
    }
}

impl<V> Ok<V> {
    /// Lets every cache keep the response for this time, in seconds. The default is `no-store`.
    ///
    /// # Panics
    ///
    /// Never: digits are visible ASCII.
    #[must_use]
    pub fn cached_publicly(self, max_age_s: u64) -> Self {
        let value = HeaderValue::from_str(&format!("public, max-age={max_age_s}"))
            .expect("digits are visible ASCII");
        self.header(header::CACHE_CONTROL, value)
    }

    /// Lets every cache keep the response, but it must revalidate it by its entity tag before each
    /// use. For data that is public now and may cease to be at any moment.
    #[must_use]
    pub fn kept_publicly(self) -> Self {
        self.header(header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache"))
    }
}

impl<V> Created<V> {
    /// A reply with this data, and the path of the created resource in `Location`.
    ///
    /// Characters that a URL cannot contain are percent-encoded; others, such as `%` and `?`, are the
    /// caller's.
    pub fn at(path: impl AsRef<str>, view: V) -> Self {
        let path = utf8_percent_encode(path.as_ref(), NOT_IN_URLS).to_string();
        let value = HeaderValue::from_str(&path).unwrap_or_else(|_| unreachable!("it is ASCII"));
        Self::of(view).header(header::LOCATION, value)
    }
}

impl<const STATUS: u16, V: View> Reply for WithStatus<STATUS, V> {
    const STATUS: StatusCode = match StatusCode::from_u16(STATUS) {
        std::result::Result::Ok(status) => status,
        Err(_) => panic!("not an HTTP status"),
    };
    type View = V;

    fn serialise(self) -> Result<Serialised, BoxError> {
        const { check_media_type(V::MEDIA_TYPE.as_bytes()) };
        let body = self.view.body()?;
        let (status, headers, media_type) = (Self::STATUS, self.headers, V::MEDIA_TYPE);
        std::result::Result::Ok(Serialised { status, headers, media_type, body })
    }
}

/// A reply with status 204 (No Content), without a body.
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl Reply for NoContent {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;
    type View = NoBody;

    fn serialise(self) -> Result<Serialised, BoxError> {
        let (status, headers, body) = (Self::STATUS, Vec::new(), Body::new());
        let media_type = NoBody::MEDIA_TYPE;
        std::result::Result::Ok(Serialised { status, headers, media_type, body })
    }
}

/// A reply of two statuses: success, or a failure in the same shape. Each of them has one status;
/// another `Result` inside does not compile.
///
/// The effects of an outcome are committed for both replies. A failure with a status from 500 is not
/// stored under the request's `Idempotency-Key`: a retry with the same key is decided again, and its
/// effects are committed again. So the effects of a failure must be harmless if they are repeated. A
/// success that is stored already is replayed instead of a later failure, without other effects.
impl<S: Reply, F: Reply<View = S::View>> Reply for Result<S, F> {
    const STATUS: StatusCode = S::STATUS;
    const FAILURE_STATUS: Option<StatusCode> = {
        assert!(
            S::FAILURE_STATUS.is_none() && F::FAILURE_STATUS.is_none(),
            "stage 9: a reply has at most two statuses"
        );
        Some(F::STATUS)
    };
    type View = S::View;

    fn serialise(self) -> Result<Serialised, BoxError> {
        match self {
            std::result::Result::Ok(success) => success.serialise(),
            Err(failure) => failure.serialise(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, schemars::JsonSchema)]
    struct Health {
        up: bool,
    }

    /// 200 or 503.
    type Probed = Result<Ok<Health>, ServiceUnavailable<Health>>;

    fn sent(reply: impl Reply) -> (u16, Vec<(HeaderName, HeaderValue)>, String) {
        let Serialised { status, headers, body, .. } = reply.serialise().unwrap();
        (status.as_u16(), headers, String::from_utf8(body.into()).unwrap())
    }

    #[test]
    fn a_reply_of_two_statuses_describes_both_and_one_shape() {
        assert_eq!(
            (Probed::STATUS, Probed::FAILURE_STATUS.unwrap()),
            (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE)
        );
        assert_eq!(<Probed as Reply>::View::schema(), Health::schema());
        assert_eq!(Ok::<Health>::FAILURE_STATUS, None);
    }

    #[test]
    fn a_reply_of_two_statuses_is_sent_with_the_status_and_headers_of_its_side() {
        let up: Probed = std::result::Result::Ok(Ok::of(Health { up: true }).cached_publicly(5));
        let (status, headers, body) = sent(up);
        assert_eq!((status, body.as_str()), (200, r#"{"data":{"up":true}}"#));
        assert_eq!(headers[0].0, header::CACHE_CONTROL);
        let retry = HeaderValue::from_static("30");
        let down: Probed =
            Err(ServiceUnavailable::of(Health { up: false })
                .header(header::RETRY_AFTER, retry.clone()));
        let (status, headers, body) = sent(down);
        assert_eq!((status, body.as_str()), (503, r#"{"data":{"up":false}}"#));
        assert_eq!(headers, [(header::RETRY_AFTER, retry)]);
    }

    #[test]
    fn each_reply_has_the_status_of_its_type() {
        let health = || Health { up: true };
        assert_eq!(sent(Ok::of(health())).0, 200);
        assert_eq!(sent(Accepted::of(health())).0, 202);
        let (status, _, body) = sent(NoContent);
        assert_eq!((status, body.as_str()), (204, ""));
        for (path, location) in [
            ("/plants/7", "/plants/7"),
            ("/plants/f\u{fc}r Ann?a=%20", "/plants/f%C3%BCr%20Ann?a=%20"),
        ] {
            let (status, headers, _) = sent(Created::at(path, health()));
            assert_eq!((status, &headers[0].0), (201, &header::LOCATION));
            assert_eq!(headers[0].1, location);
        }
    }
}
