//! The resources that a function declares: the source of its IAM policy.

mod needs;

use serde::Serialize;

pub use self::needs::Needs;
use crate::Upstream;
use crate::effects::QueueName;
use crate::record::{IndexName, TableName};

/// The outbox table: a commit writes events into it, and the relay reads them from its stream.
pub const OUTBOX: TableName = TableName::new("outbox").sorted();

/// The resources of one function.
pub type Resources = &'static [Resource];

/// A table, queue, secret, upstream or other resource and the actions on it, in the terms of IAM.
///
/// The lifecycle refuses a write that is not declared. The list is part of the `--describe` output,
/// from which `cargo lifecycle codegen` writes the policy and the environment in `template.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// A table and the actions on it.
    Table(TableName, &'static [Action]),
    /// The outbox, which outgoing events are written to: [`OUTBOX`] with [`Action::PutItem`].
    Outbox,
    /// An index of a table, whose records are read by partition ([`Action::Query`]).
    Index(TableName, IndexName),
    /// A queue that messages are sent to.
    Queue(QueueName),
    /// Several queues that messages are sent to.
    Queues(&'static [QueueName]),
    /// A queue whose attributes are read.
    ReadAttributes(QueueName),
    /// The queue that records come from; the visibility timeout of a failed record is changed.
    ReceiveFrom(QueueName),
    /// The dead-letter queue of a queue, or of a stream by its table's name. Unparseable messages
    /// are sent there. Its URL is in `<NAME>_DEAD_LETTER_QUEUE_URL`.
    DeadLetterQueue(QueueName),
    /// A secret that is read, by its logical name. The id of `signing_keys` is in
    /// `SIGNING_KEYS_SECRET_ID`.
    Secret(&'static str),
    /// A secret that is read and written.
    WrittenSecret(&'static str),
    /// A secret that is rotated: another version becomes the current one.
    RotatedSecret(&'static str),
    /// The mail service.
    Mail,
    /// A third-party service that is called.
    Upstream(Upstream),
    /// The public URL of the API, for links: `PUBLIC_URL`.
    PublicUrl,
    /// A resource of any other AWS service, for the policy alone. The function makes the
    /// client for it.
    ///
    /// ```
    /// # use lifecycle::resource::{Resource, Resources};
    /// const RESOURCES: Resources = &[
    ///     Resource::Other {
    ///         actions: &["s3:GetObject", "s3:PutObject"],
    ///         resource: "${UploadsBucket.Arn}/*",
    ///     },
    ///     Resource::Variable { name: "UPLOADS_BUCKET", refers_to: "UploadsBucket" },
    /// ];
    /// ```
    Other {
        /// The IAM actions, with their service: `s3:GetObject`.
        actions: &'static [&'static str],
        /// The resource as the template's `!Sub` reads it: `${UploadsBucket.Arn}/*`, `${Topic}`, or
        /// `*`.
        resource: &'static str,
    },
    /// An environment variable with the value of a resource or parameter of the template.
    Variable {
        /// The variable: `UPLOADS_BUCKET`.
        name: &'static str,
        /// The logical id that the template's `!Ref` names: `UploadsBucket`.
        refers_to: &'static str,
    },
}

/// An action on a table: the IAM action without `dynamodb:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub enum Action {
    /// One item is read.
    GetItem,
    /// Several items are read by key.
    BatchGetItem,
    /// Items of one partition are read. On an index it is declared by [`Resource::Index`].
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

impl Resource {
    /// Whether this permits the action on the table.
    pub(crate) fn covers(&self, table: TableName, verb: Action) -> bool {
        match self {
            Self::Table(mine, verbs) => *mine == table && verbs.contains(&verb),
            Self::Outbox => table == OUTBOX && verb == Action::PutItem,
            _ => false,
        }
    }
}

/// Whether effects of a function with these resources can be tertiary: it has a queue for messages,
/// the mail service, or an upstream for posts.
pub(crate) const fn permit_tertiary_effects(resources: &[Resource]) -> bool {
    let mut index = 0;
    while index < resources.len() {
        if matches!(resources[index], Resource::Mail | Resource::Upstream(_)) {
            return true;
        }
        index += 1;
    }
    permit_messages(resources)
}

/// Whether a function with these resources can send messages.
pub(crate) const fn permit_messages(resources: &[Resource]) -> bool {
    let mut index = 0;
    while index < resources.len() {
        if matches!(resources[index], Resource::Queue(_) | Resource::Queues(_)) {
            return true;
        }
        index += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMAILS: QueueName = QueueName::new("emails");

    #[test]
    fn the_outbox_is_written_by_puts_only() {
        assert!(Resource::Outbox.covers(OUTBOX, Action::PutItem));
        assert!(!Resource::Outbox.covers(OUTBOX, Action::DeleteItem));
        assert!(!Resource::Outbox.covers(TableName::new("users"), Action::PutItem));
    }

    #[test]
    fn only_queues_to_send_to_mail_and_upstreams_permit_tertiary_effects() {
        const CASES: [(&[Resource], bool, bool); 8] = [
            (&[], false, false),
            (&[Resource::Outbox, Resource::Secret("keys"), Resource::PublicUrl], false, false),
            (&[Resource::ReadAttributes(EMAILS)], false, false),
            (&[Resource::ReceiveFrom(EMAILS), Resource::DeadLetterQueue(EMAILS)], false, false),
            (&[Resource::Outbox, Resource::Queue(EMAILS)], true, true),
            (&[Resource::Queues(&[EMAILS])], true, true),
            (&[Resource::Outbox, Resource::Mail], true, false),
            (&[Resource::Upstream(Upstream::new("bank"))], true, false),
        ];
        for (resources, effects, messages) in CASES {
            assert_eq!(permit_tertiary_effects(resources), effects, "{resources:?}");
            assert_eq!(permit_messages(resources), messages, "{resources:?}");
        }
    }
}
