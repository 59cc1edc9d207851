//! The names of states and stages, for people.

use super::style::Colour;
use crate::activity::view::{NodeKind, NodeState, Stage, StageState};

/// The name of a stage.
pub(crate) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Routing => "routing",
        Stage::Authentication => "authentication",
        Stage::Authorization => "authorization",
        Stage::Deserialization => "deserialization",
        Stage::Validation => "validation",
        Stage::Retrieval => "retrieval",
        Stage::Rules => "rules",
        Stage::Effects => "effects",
        Stage::Response => "response",
    }
}

/// The number of a stage, from 1.
pub(crate) fn number(stage: Stage) -> usize {
    stage as usize + 1
}

/// The sign of a stage's state in both spellings, its words, and its colour.
pub(super) fn of_state(state: StageState) -> (&'static str, &'static str, &'static str, Colour) {
    match state {
        StageState::Passed => ("✓", "+", "passed", Colour::Good),
        StageState::Refused => ("✗", "x", "refused here", Colour::Bad),
        StageState::Interrupted => ("!", "!", "interrupted here", Colour::Bad),
        StageState::Running => ("▶", ">", "running", Colour::Waiting),
        StageState::NotReached => ("·", "-", "not reached", Colour::Quiet),
        StageState::Unknown => ("?", "?", "not reported", Colour::Quiet),
    }
}

/// The sign of a node's state in both spellings, its word, and its colour.
pub(super) fn of_node(state: NodeState) -> (&'static str, &'static str, &'static str, Colour) {
    match state {
        NodeState::Waiting => ("○", "o", "waiting", Colour::Waiting),
        NodeState::Working => ("▶", ">", "working", Colour::Waiting),
        NodeState::Done => ("✓", "+", "done", Colour::Good),
        NodeState::Retrying => ("↻", "~", "retrying", Colour::Waiting),
        NodeState::Failed => ("✗", "x", "failed", Colour::Bad),
    }
}

/// A kind of node.
pub(crate) fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Request => "request",
        NodeKind::Authorizer => "authorizer",
        NodeKind::Invocation => "invocation",
        NodeKind::Row => "row",
        NodeKind::Message => "message",
        NodeKind::DeadLetter => "dead letter",
        NodeKind::Mail => "mail",
        NodeKind::Upstream => "upstream",
        NodeKind::Schedule => "schedule",
    }
}
