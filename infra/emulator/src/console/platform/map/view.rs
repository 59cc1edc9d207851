//! The nodes and edges of the map.

use std::collections::BTreeMap;

use serde::Serialize;

/// The title of the mail service.
pub(super) const MAIL: &str = "mail";

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeView {
    /// The kind and the title: `function/PlaceOrderFunction`.
    pub(super) id: String,
    pub(super) kind: NodeKind,
    /// The logical id, or the name.
    pub(super) title: String,
    pub(super) counts: Counts,
}

/// The live counts of a resource by their names. A count that is not known is left out.
pub(super) type Counts = BTreeMap<&'static str, u64>;

/// The kind of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NodeKind {
    Api,
    Function,
    Table,
    Queue,
    Stream,
    Schedule,
    Secret,
    Mail,
    Standin,
}

/// A connection of two resources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EdgeView {
    /// The id of the node where it begins.
    pub(super) from: String,
    pub(super) to: String,
    /// `POST /orders`, `reads and writes`, `sends`, `delivers`, `rate(1 minute)`.
    pub(super) label: String,
}

/// The id of a node.
pub(super) fn id(kind: NodeKind, title: &str) -> String {
    let kind = match kind {
        NodeKind::Api => "api",
        NodeKind::Function => "function",
        NodeKind::Table => "table",
        NodeKind::Queue => "queue",
        NodeKind::Stream => "stream",
        NodeKind::Schedule => "schedule",
        NodeKind::Secret => "secret",
        NodeKind::Mail => "mail",
        NodeKind::Standin => "standin",
    };
    format!("{kind}/{title}")
}
