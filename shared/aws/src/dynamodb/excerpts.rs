//! Stage 6: some attributes of records, read together with others.

use std::marker::PhantomData;

use lifecycle::ServiceError;
use lifecycle::record::{Excerpt, Key, Record, TableName};

use super::batch_get::{BatchRequest, Items, sealed};
use super::wanted_keys::{Freshness, Keys};
use crate::{Aws, Table};

/// The excerpt of one record.
pub struct GetExcerpt<E: Excerpt> {
    table: Table<E::Of>,
    key: Key,
    freshness: Freshness,
    excerpt: PhantomData<fn() -> E>,
}

/// The excerpts of several records, in the order of their keys; `None` for a missing one.
pub struct GetExcerpts<E: Excerpt> {
    table: Table<E::Of>,
    keys: Vec<Key>,
    excerpt: PhantomData<fn() -> E>,
}

impl<R: Record> Table<R> {
    /// Some attributes of one record, to be read by [`batch_get`](crate::batch_get).
    pub fn excerpt<E: Excerpt<Of = R>>(&self, key: Key) -> GetExcerpt<E> {
        let freshness = Freshness::Current;
        GetExcerpt { table: self.clone(), key, freshness, excerpt: PhantomData }
    }

    /// Some attributes of several records, to be read by [`batch_get`](crate::batch_get). A key may
    /// be named twice.
    pub fn excerpts<E: Excerpt<Of = R>>(
        &self,
        keys: impl IntoIterator<Item = Key>,
    ) -> GetExcerpts<E> {
        let keys = keys.into_iter().collect();
        GetExcerpts { table: self.clone(), keys, excerpt: PhantomData }
    }
}

impl<E: Excerpt> GetExcerpt<E> {
    /// Allows the excerpt to be a moment old, at half the price, as
    /// [`GetOne::lagging`](crate::GetOne::lagging).
    #[must_use]
    pub fn lagging(self) -> Self {
        Self { freshness: Freshness::Lagging, ..self }
    }
}

impl<E: Excerpt> sealed::Sealed for GetExcerpt<E> {}

impl<E: Excerpt> BatchRequest for GetExcerpt<E> {
    type Found = Option<E>;

    fn aws(&self) -> &Aws {
        self.table.aws()
    }

    fn table(&self) -> TableName {
        E::Of::TABLE
    }

    fn name(&self, keys: &mut Keys) -> Result<(), ServiceError> {
        let name = self.aws().table_name(E::Of::TABLE)?;
        keys.add(name, E::Of::TABLE, Some(E::ATTRIBUTES), self.freshness, [&self.key]);
        Ok(())
    }

    fn take(&self, items: &Items) -> Result<Option<E>, ServiceError> {
        items.excerpt(self.aws().table_name(E::Of::TABLE)?, &self.key)
    }
}

impl<E: Excerpt> sealed::Sealed for GetExcerpts<E> {}

impl<E: Excerpt> BatchRequest for GetExcerpts<E> {
    type Found = Vec<Option<E>>;

    fn aws(&self) -> &Aws {
        self.table.aws()
    }

    fn table(&self) -> TableName {
        E::Of::TABLE
    }

    fn name(&self, keys: &mut Keys) -> Result<(), ServiceError> {
        let name = self.aws().table_name(E::Of::TABLE)?;
        let attributes = Some(E::ATTRIBUTES);
        keys.add(name, E::Of::TABLE, attributes, Freshness::Current, &self.keys);
        Ok(())
    }

    fn take(&self, items: &Items) -> Result<Vec<Option<E>>, ServiceError> {
        let name = self.aws().table_name(E::Of::TABLE)?;
        self.keys.iter().map(|key| items.excerpt(name, key)).collect()
    }
}
