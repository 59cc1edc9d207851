//! Stage 6: lists, read page by page.

use lifecycle::paging::{Cursor, PageRequest};
use lifecycle::record::Record;
use lifecycle::reply::Page;
use lifecycle::{FieldErrors, Permit, RetrieveError, Route};

use super::cursors::CursorKey;
use crate::{Aws, CURSOR_KEY, Range, Secret, Table};

/// The records of a table as a list that clients read page by page.
///
/// Pages are disjoint and sorted by position, even while records are written: a page begins behind
/// the last position of the page before. A record that appears at an earlier position is missing
/// from that walk.
pub struct Pages<R> {
    route: Route,
    table: Table<R>,
    key: Secret<CursorKey>,
}

impl Aws {
    /// The pages of a record type, as this route lists them.
    ///
    /// # Panics
    ///
    /// When the endpoint's `RESOURCES` lacks the table or the secret [`CURSOR_KEY`]. Its first
    /// start shows this bug.
    pub fn pages<R: Record>(&self, route: Route) -> Pages<R> {
        self.pages_sealed_by(CURSOR_KEY, route)
    }

    /// As [`Aws::pages`], with cursors that another secret authenticates.
    ///
    /// # Panics
    ///
    /// When the endpoint's `RESOURCES` lacks the table or the secret.
    pub fn pages_sealed_by<R: Record>(&self, secret: &'static str, route: Route) -> Pages<R> {
        Pages { route, table: self.table(), key: self.secret(secret, CursorKey::parse) }
    }
}

impl<R: Record> Pages<R> {
    /// One page of a range.
    ///
    /// # Errors
    ///
    /// [`RetrieveError::InvalidInput`] when this route did not issue the cursor for this range and
    /// direction; else as [`Table::get`].
    pub async fn page<C>(
        &self,
        permit: &Permit<C>,
        range: Range,
        request: &PageRequest,
    ) -> Result<Page<R>, RetrieveError> {
        let key = self.key.read().await?;
        let range = range.ordered(request.direction);
        let list = [&[self.route.method.as_str(), self.route.path], &range.names()[..]].concat();
        let from = match &request.cursor {
            None => range.clone(),
            Some(cursor) => range.clone().after(opened(&key, &list, cursor)?),
        };
        let limit = usize::from(request.limit.get());
        // One record more than is returned shows whether there is another page.
        let mut found = self.table.first_of(permit, &from, limit + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        Ok(Page {
            next_cursor: last.map(|last| key.seal(&list, &last.position)),
            items: found.into_iter().map(|found| found.record).collect(),
            limit: request.limit,
            order: request.direction,
        })
    }
}

fn opened(key: &CursorKey, list: &[&str], cursor: &Cursor) -> Result<String, RetrieveError> {
    let unknown = "must be the nextCursor of the page before, in the same order";
    key.open(list, cursor)
        .ok_or_else(|| RetrieveError::InvalidInput(FieldErrors::one("query.cursor", unknown)))
}
