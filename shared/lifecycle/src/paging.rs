//! Paging parameters of lists.

use schemars::JsonSchema;

/// A page of a list, as a client requests it: `?limit=20&order=desc&cursor=…`
#[derive(Debug, Clone, Default, PartialEq, Eq, eserde::Deserialize, JsonSchema)]
pub struct PageQuery {
    /// The maximum number of items; 20 by default.
    #[serde(default)]
    pub limit: Option<PageLimit>,
    /// Oldest first or newest first; the default depends on the list.
    #[serde(default)]
    pub order: Option<Direction>,
    /// The `nextCursor` of the previous page, of the same list in the same order.
    #[serde(default)]
    pub cursor: Option<Cursor>,
}

impl PageQuery {
    /// Returns the page request; `direction` is the default direction of the list.
    pub fn of_list(self, direction: Direction) -> PageRequest {
        PageRequest {
            limit: self.limit.unwrap_or_default(),
            direction: self.order.unwrap_or(direction),
            cursor: self.cursor,
        }
    }
}

/// A page of a list whose default order is newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestFirst(pub PageRequest);

impl From<PageQuery> for NewestFirst {
    fn from(query: PageQuery) -> Self {
        Self(query.of_list(Direction::Descending))
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The maximum number of items.
    pub limit: PageLimit,
    /// The direction in which the list is read.
    pub direction: Direction,
    /// The position where the page begins; by default the beginning of the list.
    pub cursor: Option<Cursor>,
}

/// The maximum number of items on a page: 1 to 100.
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

/// The direction in which a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `asc`: the first position first.
    Ascending,
    /// `desc`: the last position first.
    Descending,
}

impl Direction {
    /// The value on the wire.
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

/// The position where a page begins, opaque to clients. Stage 6 checks its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// The length of the longest cursor: a code of 16 bytes and a sort key, which has at most 1024 bytes
    /// in `DynamoDB`, in base64url. Three bytes are four characters, without padding.
    const BYTES_MAX: usize = ((16 + 1024) * 4_usize).div_ceil(3);

    /// The text on the wire.
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
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_page_has_1_to_100_items() {
        for (raw, taken) in [(0, false), (1, true), (100, true), (101, false), (-1, false)] {
            let read = PageLimit::try_from(raw);
            assert_eq!(read.is_ok_and(|limit| i64::from(limit.get()) == raw), taken, "{raw}");
        }
    }

    #[test]
    fn by_default_a_page_is_the_first_20_items_in_the_lists_direction() {
        let nothing = PageQuery { limit: None, order: None, cursor: None };
        let page = nothing.clone().of_list(Direction::Descending);
        assert_eq!((page.limit.get(), page.direction), (20, Direction::Descending));
        assert_eq!(page.cursor, None);
        let turned = PageQuery { order: Some(Direction::Ascending), ..nothing };
        assert_eq!(turned.of_list(Direction::Descending).direction, Direction::Ascending);
    }

    #[test]
    fn a_cursor_keeps_its_text_of_1_to_1387_bytes() {
        for (length, taken) in [(0, false), (1, true), (1387, true), (1388, false)] {
            let text = "c".repeat(length);
            let cursor = Cursor::try_from(text.clone());
            assert_eq!(cursor.is_ok_and(|cursor| cursor.as_str() == text), taken, "{length}");
        }
    }

    #[test]
    fn the_cursor_of_the_longest_sort_key_is_taken() {
        let longest = BASE64_URL_SAFE_NO_PAD.encode([0_u8; 16 + 1024]);
        assert_eq!(longest.len(), Cursor::BYTES_MAX);
        assert!(Cursor::try_from(longest).is_ok());
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
