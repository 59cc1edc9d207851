//! Lists: which page of one is asked for.

use schemars::JsonSchema;

/// Which page of a list, as a client asks for it: `?limit=20&order=desc&cursor=…`
#[derive(Debug, Clone, Default, PartialEq, Eq, eserde::Deserialize, JsonSchema)]
pub struct PageQuery {
    /// How many items at most; 20 unless said.
    #[serde(default)]
    pub limit: Option<PageLimit>,
    /// Oldest first or newest first; each list has a direction of its own unless said.
    #[serde(default)]
    pub order: Option<Direction>,
    /// The `nextCursor` of the page before, of the same list in the same order.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

impl PageQuery {
    /// The page that is meant, of a list that is read in this direction unless the client says
    /// otherwise.
    pub fn of_list(self, direction: Direction) -> PageRequest {
        PageRequest {
            limit: self.limit.unwrap_or_default(),
            direction: self.order.unwrap_or(direction),
            cursor: self.cursor,
        }
    }
}

/// Which page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items at most.
    pub limit: PageLimit,
    /// In which direction the list is read.
    pub direction: Direction,
    /// Where the page begins; with the list unless said.
    pub cursor: Option<Cursor>,
}

/// How many items a page has at most: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u8);

impl PageLimit {
    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(20)
    }
}

impl TryFrom<i64> for PageLimit {
    type Error = &'static str;

    fn try_from(raw: i64) -> Result<Self, Self::Error> {
        match u8::try_from(raw) {
            Ok(limit @ 1..=100) => Ok(Self(limit)),
            _ => Err("must be from 1 to 100"),
        }
    }
}

crate::checked!(PageLimit, i64, { "type": "integer", "minimum": 1, "maximum": 100, "default": 20 });

/// In which direction a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `asc`: the first position first.
    Ascending,
    /// `desc`: the last position first.
    Descending,
}

impl Direction {
    /// The word for it on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

impl TryFrom<String> for Direction {
    type Error = &'static str;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        match raw.as_str() {
            "asc" => Ok(Self::Ascending),
            "desc" => Ok(Self::Descending),
            _ => Err("must be asc or desc"),
        }
    }
}

crate::checked!(Direction, String, {
    "title": "SortOrder", "type": "string", "enum": ["asc", "desc"],
});

/// Where a page begins, in a form that means nothing to clients. Whether it is one of ours, only
/// those who can read it know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Longer than any of ours.
    const BYTES_MAX: usize = 512;

    /// The text as it is on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        if (1..=Self::BYTES_MAX).contains(&raw.len()) {
            Ok(Self(raw))
        } else {
            Err("must be the nextCursor of the page before")
        }
    }
}

crate::checked!(Cursor, String, { "type": "string", "minLength": 1, "maxLength": Self::BYTES_MAX });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_100_items() {
        for (raw, taken) in [(0, false), (1, true), (100, true), (101, false), (-1, false)] {
            let read = PageLimit::try_from(raw);
            assert_eq!(read.is_ok_and(|limit| i64::from(limit.get()) == raw), taken, "{raw}");
        }
    }

    #[test]
    fn what_is_not_said_is_20_items_in_the_lists_own_direction_from_its_beginning() {
        let nothing = PageQuery { limit: None, order: None, cursor: None };
        let page = nothing.clone().of_list(Direction::Descending);
        assert_eq!((page.limit.get(), page.direction), (20, Direction::Descending));
        assert_eq!(page.cursor, None);
        let turned = PageQuery { order: Some(Direction::Ascending), ..nothing };
        assert_eq!(turned.of_list(Direction::Descending).direction, Direction::Ascending);
    }

    #[test]
    fn a_direction_is_one_of_two_words() {
        for word in ["asc", "desc"] {
            assert_eq!(Direction::try_from(word.to_owned()).unwrap().as_str(), word);
        }
        for other in ["ASC", "", "up", "asc; DROP TABLE orders"] {
            assert!(Direction::try_from(other.to_owned()).is_err(), "{other}");
        }
    }
}
