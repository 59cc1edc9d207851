//! Successful responses of the API.

use http::{HeaderMap, StatusCode};
use lifecycle::paging::{Cursor, PageQuery};
use serde::Deserialize;

/// The data of a response, with its status and headers.
#[derive(Debug, Clone)]
pub struct ApiResponse<T> {
    /// The data.
    pub data: T,
    /// The status: of success, unless the operation documents another.
    pub status: StatusCode,
    /// All headers: `ETag`, `Location`, `Cache-Control` and others.
    pub headers: HeaderMap,
}

impl<T> ApiResponse<T> {
    /// The entity tag of the data, for `If-Match`.
    pub fn etag(&self) -> Option<&str> {
        self.header("etag")
    }

    /// The request id.
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-request-id")
    }

    /// Whether the API replayed a stored response to the same idempotency key.
    pub fn is_replayed(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// Returns a header if it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn map<U>(self, form: impl FnOnce(T) -> U) -> ApiResponse<U> {
        ApiResponse { data: form(self.data), status: self.status, headers: self.headers }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items.
    #[serde(rename = "data")]
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last page.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// Returns the query for the next page of the same list; `None` after the last page. `asked` is
    /// the query for this page.
    pub fn next(&self, asked: &PageQuery) -> Option<PageQuery> {
        let cursor = self.next_cursor.clone()?;
        Some(PageQuery { cursor: Some(cursor), ..asked.clone() })
    }
}

/// `{"data": …}`
#[derive(Deserialize)]
pub(crate) struct Data<T> {
    pub(crate) data: T,
}
