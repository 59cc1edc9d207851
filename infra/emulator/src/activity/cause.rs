//! The causes of invocations.

use std::sync::Arc;

/// The cause of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A request, by the id that the gateway gave it.
    Request(Arc<str>),
    /// The authorizer of a request.
    Authorizer(Arc<str>),
    /// Messages of a queue, by its logical id: each with its id and its number of receives.
    Messages {
        /// The queue's logical id.
        queue: String,
        /// The id of each message, and how often it was received.
        messages: Vec<(String, u32)>,
    },
    /// Records of a table's stream.
    Records {
        /// The table's logical id.
        table: String,
        /// The name of the reader: each event source delivers on its own.
        reader: String,
        /// The records.
        records: Vec<StreamItem>,
    },
    /// A schedule, by the function's event.
    Schedule(String),
    /// The rotation of a secret, by its logical id.
    Rotation(String),
    /// A person or a test.
    ByHand,
}

impl Cause {
    /// The id of the request that a function responds to.
    pub(super) fn request(&self) -> Option<Arc<str>> {
        match self {
            Self::Request(id) => Some(Arc::clone(id)),
            _ => None,
        }
    }
}

/// A record of a stream: the change of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamItem {
    /// The sequence number.
    pub number: String,
    /// The key, for people: `pk = USER#1, sk = PROFILE`.
    pub key: String,
    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub event: String,
    /// The second of the change since 1970.
    pub created_s: i64,
}
