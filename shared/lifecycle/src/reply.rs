//! Stage 9: what is answered.

use http::{HeaderName, HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

/// A shape of answered data: anything that has a JSON form and a schema.
pub trait View: Serialize + JsonSchema + Send {}

impl<T: Serialize + JsonSchema + Send> View for T {}

/// The view of an answer without a body.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub enum NoBody {}

/// An answer: status, headers and a body in one of the API's shapes.
#[derive(Debug)]
pub struct Reply<V> {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Body<V>,
}

/// The shapes of a body.
#[derive(Debug)]
pub(crate) enum Body<V> {
    /// `{"data": …}`
    Data(V),
    /// `{"data": […], "count": …, "limit": …, "order": …, "nextCursor": …}`
    Page(Page<V>),
    /// The view as it is, for formats that others have defined.
    Bare(V),
    /// Nothing.
    Empty,
}

/// One page of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<V> {
    /// The items.
    #[serde(rename = "data")]
    pub items: Vec<V>,
    /// How many items were asked for at most.
    pub limit: u8,
    /// `asc` or `desc`.
    pub order: &'static str,
    /// Where the next page begins; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<V> Reply<V> {
    /// 200 with `{"data": …}`.
    pub fn ok(view: V) -> Self {
        Self::new(StatusCode::OK, Body::Data(view))
    }

    /// 201 with `{"data": …}`.
    pub fn created(view: V) -> Self {
        Self::new(StatusCode::CREATED, Body::Data(view))
    }

    /// 202 with `{"data": …}`.
    pub fn accepted(view: V) -> Self {
        Self::new(StatusCode::ACCEPTED, Body::Data(view))
    }

    /// 204.
    pub fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT, Body::Empty)
    }

    /// 200 with a page of a list.
    pub fn page(page: Page<V>) -> Self {
        Self::new(StatusCode::OK, Body::Page(page))
    }

    /// The view as it is, without `data` around it: for formats that others have defined, such
    /// as a JSON Web Key Set.
    pub fn bare(status: StatusCode, view: V) -> Self {
        Self::new(status, Body::Bare(view))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Where the created resource is to be found.
    ///
    /// # Panics
    ///
    /// When the path is not visible ASCII; paths are made of our own route and an id.
    #[must_use]
    pub fn location(self, path: &str) -> Self {
        let value = HeaderValue::from_str(path).expect("a path of route and id is visible ASCII");
        self.header(header::LOCATION, value)
    }

    /// How long anybody may keep the answer, in seconds. Unless said, nobody may.
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

    fn new(status: StatusCode, body: Body<V>) -> Self {
        Self { status, headers: Vec::new(), body }
    }
}
