//! The calls of the ports that a function can make, by its constants.

use super::{Action, Resource};
use crate::consumer::{Consumer, Inbox, Source};
use crate::endpoint::Endpoint;
use crate::idempotency::Idempotency;

/// The calls of the [ports](crate::ports) that the lifecycle can make for a function.
///
/// All of it follows from constants, so an adapter can decide at compile time which code a function
/// links.
///
/// ```
/// use lifecycle::effects::QueueName;
/// use lifecycle::resource::{Needs, Resource};
///
/// const NEEDS: Needs = Needs::of(&[Resource::Queue(QueueName::new("emails"))]);
/// assert!(NEEDS.queues && !NEEDS.commits);
/// ```
#[expect(clippy::struct_excessive_bools, reason = "a function may need each without the others")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// Commits of effects, idempotency records and inbox entries.
    pub commits: bool,
    /// Counts of limits.
    pub counts: bool,
    /// Messages to queues, visibility timeouts and dead letters.
    pub queues: bool,
    /// Mail.
    pub mail: bool,
}

impl Needs {
    /// The calls of an endpoint.
    pub const fn of_endpoint<E: Endpoint>() -> Self {
        let mut needs = Self::of(E::RESOURCES);
        needs.commits |= !matches!(E::IDEMPOTENCY, Idempotency::None);
        needs.counts |= !E::LIMIT.is_off() || E::SUBJECT_LIMIT.is_some();
        needs
    }

    /// The calls of a consumer.
    pub const fn of_consumer<C: Consumer>() -> Self {
        let mut needs = Self::of(C::RESOURCES);
        needs.commits |= matches!(C::INBOX, Inbox::Remembered);
        // An unparseable record goes to the dead-letter queue.
        needs.queues |= matches!(C::SOURCE, Source::Queue(_) | Source::Stream(_));
        needs
    }

    /// The calls for these resources. Without a declared write, there is no commit: the lifecycle
    /// refuses undeclared ones.
    pub const fn of(resources: &[Resource]) -> Self {
        let mut needs = Self { commits: false, counts: false, queues: false, mail: false };
        let mut index = 0;
        while index < resources.len() {
            match resources[index] {
                Resource::Table(_, actions) => {
                    needs.commits |= writes(actions);
                    needs.counts |= updates(actions);
                }
                Resource::Outbox => needs.commits = true,
                Resource::Queue(_)
                | Resource::Queues(_)
                | Resource::ReadAttributes(_)
                | Resource::ReceiveFrom(_)
                | Resource::DeadLetterQueue(_) => needs.queues = true,
                Resource::Mail => needs.mail = true,
                Resource::Index(..)
                | Resource::Secret(_)
                | Resource::WrittenSecret(_)
                | Resource::RotatedSecret(_)
                | Resource::Upstream(_)
                | Resource::PublicUrl
                | Resource::Other { .. }
                | Resource::Variable { .. } => {}
            }
            index += 1;
        }
        needs
    }
}

const fn writes(actions: &[Action]) -> bool {
    let mut index = 0;
    while index < actions.len() {
        match actions[index] {
            Action::PutItem
            | Action::UpdateItem
            | Action::DeleteItem
            | Action::ConditionCheckItem => return true,
            Action::GetItem | Action::BatchGetItem | Action::Query => index += 1,
        }
    }
    false
}

/// A count is an update.
const fn updates(actions: &[Action]) -> bool {
    let mut index = 0;
    while index < actions.len() {
        if matches!(actions[index], Action::UpdateItem) {
            return true;
        }
        index += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::QueueName;
    use crate::record::TableName;

    fn letters(resources: &[Resource]) -> String {
        let Needs { commits, counts, queues, mail } = Needs::of(resources);
        let named = [(commits, 'w'), (counts, 'c'), (queues, 'q'), (mail, 'm')];
        named.into_iter().filter_map(|(needed, letter)| needed.then_some(letter)).collect()
    }

    #[test]
    fn each_resource_needs_its_calls_and_no_others() {
        const NOTES: TableName = TableName::new("notes");
        const QUEUE: QueueName = QueueName::new("emails");
        for (resource, expected) in [
            (Resource::Table(NOTES, &[]), ""),
            (Resource::Table(NOTES, &[Action::GetItem, Action::Query, Action::BatchGetItem]), ""),
            (Resource::Table(NOTES, &[Action::GetItem, Action::PutItem]), "w"),
            (Resource::Table(NOTES, &[Action::DeleteItem]), "w"),
            (Resource::Table(NOTES, &[Action::ConditionCheckItem]), "w"),
            (Resource::Table(NOTES, &[Action::UpdateItem]), "wc"),
            (Resource::Outbox, "w"),
            (Resource::Queue(QUEUE), "q"),
            (Resource::Queues(&[QUEUE]), "q"),
            (Resource::ReadAttributes(QUEUE), "q"),
            (Resource::ReceiveFrom(QUEUE), "q"),
            (Resource::DeadLetterQueue(QUEUE), "q"),
            (Resource::Mail, "m"),
            (Resource::Secret("keys"), ""),
            (Resource::PublicUrl, ""),
        ] {
            assert_eq!(letters(&[resource]), expected, "{resource:?}");
        }
        assert_eq!(letters(&[Resource::Mail, Resource::Outbox]), "wm");
    }
}
