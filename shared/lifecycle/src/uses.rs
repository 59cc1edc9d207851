//! What an endpoint says that it uses: the source of its policy.

use serde::Serialize;

use crate::Upstream;
use crate::effects::Queue;
use crate::record::{Index, Table};

/// A table, queue, secret or upstream with what is done to it, in the words of IAM.
///
/// The lifecycle refuses a write that is not declared here, and the description that a binary
/// prints carries the list; the policy in `template.yaml` is checked against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A table and the verbs used on it.
    Table(Table, &'static [Verb]),
    /// An index of a table, whose records are read by partition ([`Verb::Query`]).
    Index(Table, Index),
    /// A queue that messages are sent to.
    Queue(Queue),
    /// Several of them.
    Queues(&'static [Queue]),
    /// A queue whose state is asked for.
    Probe(Queue),
    /// The queue that records come from: one that fails is hidden for a while.
    Source(Queue),
    /// The dead-letter queue of a queue, or of a stream by its table's name: messages that
    /// cannot be understood are sent there. Its URL stands under `<NAME>_DEAD_LETTER_QUEUE_URL`.
    DeadLetters(Queue),
    /// A secret that is read, by its logical name: `signing_keys` is found under
    /// `SIGNING_KEYS_SECRET_ID`.
    Secret(&'static str),
    /// A secret that is read and given new values.
    WrittenSecret(&'static str),
    /// A secret that is rotated: another of its versions becomes the current one.
    RotatedSecret(&'static str),
    /// Mail is sent.
    Mail,
    /// A service of somebody else's that is called.
    Upstream(Upstream),
    /// Where the API answers, for links to it: `PUBLIC_URL`.
    PublicUrl,
}

/// What is done to a table: the IAM action without its `dynamodb:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Verb {
    /// One item is read.
    GetItem,
    /// Several items are read by key.
    BatchGetItem,
    /// Items of one partition are read. On an index it is declared by [`Use::Index`].
    Query,
    /// A whole item is written.
    PutItem,
    /// Attributes of an item are changed.
    UpdateItem,
    /// An item is removed.
    DeleteItem,
    /// An item's state is a condition of a transaction.
    ConditionCheckItem,
}

impl Use {
    /// Whether this allows the verb on the table.
    pub(crate) fn covers(&self, table: Table, verb: Verb) -> bool {
        matches!(self, Self::Table(mine, verbs) if *mine == table && verbs.contains(&verb))
    }
}
