//! What the API answers when all is well.

use http::{HeaderMap, StatusCode};
use lifecycle::paging::{Cursor, PageQuery};
use serde::Deserialize;

/// An answer, and what its headers say of it.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// What was asked for.
    pub data: T,
    /// The status: of success, unless the operation says otherwise.
    pub status: StatusCode,
    /// All headers: `ETag`, `Location`, `Cache-Control` and others.
    pub headers: HeaderMap,
}

impl<T> Answer<T> {
    /// The version of what is answered, for `If-Match`.
    pub fn etag(&self) -> Option<&str> {
        self.header("etag")
    }

    /// The request's id.
    pub fn request_id(&self) -> Option<&str> {
        self.header("x-request-id")
    }

    /// Whether the API had given this answer before, to the same idempotency key.
    pub fn is_replayed(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// A header of visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn map<U>(self, form: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { data: form(self.data), status: self.status, headers: self.headers }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items.
    #[serde(rename = "data")]
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last page.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// What to ask for after this page, of the same list in the same order; nothing after the
    /// last one.
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
