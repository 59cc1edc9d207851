//! The values of a document.

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    Text,
    /// A text that is not Unicode. In JSON it has half of a surrogate pair, in a query string bytes
    /// that are not UTF-8, in a header bytes beyond ASCII.
    Broken,
    Array,
    Object,
    /// An array or object beyond the maximum depth; its content is skipped.
    TooDeep,
    /// A text outside JSON, which may stand for a number or a boolean.
    Word,
}

/// A value or a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) escaped: bool,
    /// Its position in the source, without the quotes.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The index of the node after it and its content.
    pub(super) next: u32,
}

impl Node {
    pub(super) fn of(kind: Kind, start: usize) -> Self {
        Self { kind, escaped: false, start: position(start), end: position(start), next: 0 }
    }
}

/// Texts are much shorter than 4 GiB: Lambda's events have at most 6 MB.
pub(super) fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
