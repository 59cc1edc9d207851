//! Lists: which page of one is asked for.

/// In which direction a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `asc`: the first position first.
    Ascending,
    /// `desc`: the last position first.
    Descending,
}
