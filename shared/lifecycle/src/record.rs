//! What the store keeps: tables, keys and records, without any SDK.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Violations;

/// A table, by its logical name. Its physical name stands in the environment as `<NAME>_TABLE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Table(&'static str);

impl Table {
    /// Names a table in `snake_case`: `users` is found under `USERS_TABLE`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The logical name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The environment variable that holds the physical name.
    pub fn variable(self) -> String {
        format!("{}_TABLE", self.0.to_uppercase())
    }
}

/// The key of an item: a partition key `pk` and, in some tables, a sort key `sk`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: Option<String>,
}

impl Key {
    /// A key of a table without a sort key.
    pub fn new(pk: impl ToString) -> Self {
        Self { pk: pk.to_string(), sk: None }
    }

    /// A key of a table with a sort key.
    pub fn sorted(pk: impl ToString, sk: impl ToString) -> Self {
        Self { pk: pk.to_string(), sk: Some(sk.to_string()) }
    }
}

/// Something that is kept in a table, one item each.
///
/// The key attributes are added on the way in and ignored on the way out, and so is every
/// attribute that the type does not know: an item written by a newer version can still be read.
pub trait Record: Serialize + DeserializeOwned + Send + Sync {
    /// Where it is kept.
    const TABLE: Table;

    /// Its key.
    fn key(&self) -> Key;
}

/// A record of which there is one: parameters that an operator can change while the system runs.
///
/// Until it is stored, its default holds.
pub trait Singleton: Record + Clone + Default {
    /// The key of the one.
    fn the_key() -> Key;

    /// Checks what no field can know by itself. Asked on writing and on loading.
    ///
    /// # Errors
    ///
    /// Every field that does not go with the others.
    fn checked(self) -> Result<Self, Violations>;
}
