//! The resources that a function's policy allows it to use.

use std::collections::{BTreeMap, BTreeSet};

use sam_template::{Effect, Function, Statement, Template, is_like};

use super::view::{MAIL, NodeKind};
use crate::services::Names;

/// A kind of use. Receives from a queue are left out: they are connections of event sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    Reads,
    Writes,
    Sends,
}

/// The actions of a use of a kind of resource. A permission for any of them is one for the use.
const ACTIONS: [(NodeKind, Access, &[&str]); 6] = [
    (
        NodeKind::Table,
        Access::Reads,
        &["dynamodb:getitem", "dynamodb:batchgetitem", "dynamodb:query", "dynamodb:scan"],
    ),
    (
        NodeKind::Table,
        Access::Writes,
        &[
            "dynamodb:putitem",
            "dynamodb:updateitem",
            "dynamodb:deleteitem",
            "dynamodb:batchwriteitem",
        ],
    ),
    (NodeKind::Queue, Access::Sends, &["sqs:sendmessage"]),
    (NodeKind::Secret, Access::Reads, &["secretsmanager:getsecretvalue"]),
    (NodeKind::Secret, Access::Writes, &["secretsmanager:putsecretvalue"]),
    (NodeKind::Mail, Access::Sends, &["ses:sendemail"]),
];

impl Access {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Sends => "sends",
        }
    }
}

/// The resources that a function may use, by kind and title, with the uses. Statements that deny are
/// left out of account.
pub(super) fn of(
    function: &Function,
    template: &Template,
    names: &Names,
) -> BTreeMap<(NodeKind, String), BTreeSet<Access>> {
    let known = resources(template, names);
    let mut found: BTreeMap<(NodeKind, String), BTreeSet<Access>> = BTreeMap::new();
    for statement in function.policies.iter().filter(|it| it.effect == Effect::Allow) {
        let Some(pattern) = resource(statement, template, names) else { continue };
        for (kind, access) in uses(statement) {
            let of_kind = known.iter().filter(|(it, ..)| *it == kind);
            for (_, title, arns) in of_kind {
                if kind == NodeKind::Mail || arns.iter().any(|arn| is_like(&pattern, arn)) {
                    found.entry((kind, title.clone())).or_default().insert(access);
                }
            }
        }
    }
    found
}

/// The uses that a statement's action belongs to.
fn uses(statement: &Statement) -> impl Iterator<Item = (NodeKind, Access)> {
    let action = statement.action.to_ascii_lowercase();
    let meant = ACTIONS.into_iter();
    let meant = meant.filter(move |(_, _, known)| known.iter().any(|it| is_like(&action, it)));
    meant.map(|(kind, access, _)| (kind, access))
}

/// The pattern of the ARNs that a statement is about.
fn resource(statement: &Statement, template: &Template, names: &Names) -> Option<String> {
    let value = |reference: &_| names.look_up(reference).or_else(|| template.look_up(reference));
    statement.resource.resolve(value).ok()
}

/// All resources that permissions are about: kind, title, and ARNs. A table has those of its indexes,
/// too.
fn resources(template: &Template, names: &Names) -> Vec<(NodeKind, String, Vec<String>)> {
    let tables = names.tables().map(|(id, table)| {
        let indexes = template.tables.get(id).into_iter();
        let indexes = indexes.flat_map(|it| it.indexes.iter().chain(&it.local_indexes));
        let indexes = indexes.map(|index| format!("{}/index/{}", table.arn, index.name));
        let arns = std::iter::once(table.arn.clone()).chain(indexes).collect();
        (NodeKind::Table, id.to_owned(), arns)
    });
    let queues =
        names.queues().map(|(id, it)| (NodeKind::Queue, id.to_owned(), vec![it.arn.clone()]));
    let secrets =
        names.secrets().map(|(id, it)| (NodeKind::Secret, id.to_owned(), vec![it.arn.clone()]));
    // The resources of mail are identities, which are no nodes.
    let mail = std::iter::once((NodeKind::Mail, MAIL.to_owned(), Vec::new()));
    tables.chain(queues).chain(secrets).chain(mail).collect()
}
