//! The structure of a text, found in one pass: the place and the kind of each value.
//!
//! No value is decoded or copied. A value that no type asks for is skipped in one step, whatever
//! its size, so that reading a body takes linear time.

mod escapes;
mod node;
mod parser;

use std::borrow::Cow;
use std::fmt;

use self::escapes::unescaped;
pub(crate) use self::node::Kind;
use self::node::{Node, position};
use self::parser::Parser;

/// The values of a JSON text, or the names and texts of another part of a request.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    source: Cow<'a, str>,
    /// The values, in the order of the text; each is followed by the values inside it. A member of
    /// an object is its name and then its value.
    nodes: Vec<Node>,
}

/// The error of a text that is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJson {
    line: usize,
    column: usize,
    expected: &'static str,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, expected } = self;
        write!(f, "{expected} is expected at line {line}, column {column}")
    }
}

impl<'a> Document<'a> {
    /// Parses the structure of a JSON text (RFC 8259).
    pub(crate) fn of_json(text: &'a str) -> Result<Self, NotJson> {
        let mut parser = Parser::of(text);
        match parser.document() {
            Ok(()) => Ok(Self { source: text.into(), nodes: parser.nodes }),
            Err(expected) => {
                let before = text.get(..parser.at).unwrap_or(text);
                let line = 1 + before.matches('\n').count();
                let column = 1 + before.rsplit('\n').next().unwrap_or(before).chars().count();
                Err(NotJson { line, column, expected })
            }
        }
    }

    /// The pairs of a path, a query string or headers, as one object. `None` is a value that is not
    /// valid text.
    pub(super) fn of_pairs<'p>(
        pairs: impl Iterator<Item = (&'p str, Option<&'p str>)>,
    ) -> Document<'static> {
        let (mut source, mut nodes) = (String::new(), vec![Node::of(Kind::Object, 0)]);
        for (name, value) in pairs {
            let value = value.map_or((Kind::Broken, ""), |value| (Kind::Word, value));
            for (kind, text) in [(Kind::Text, name), value] {
                let start = position(source.len());
                source.push_str(text);
                let (end, next) = (position(source.len()), position(nodes.len() + 1));
                nodes.push(Node { kind, escaped: false, start, end, next });
            }
        }
        nodes[0].next = position(nodes.len());
        Document { source: source.into(), nodes }
    }

    /// The number of values and names.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn kind(&self, node: usize) -> Kind {
        self.nodes[node].kind
    }

    /// Returns the value of a text, or the spelling of a number.
    pub(crate) fn text(&self, node: usize) -> Cow<'_, str> {
        let Node { start, end, escaped, .. } = self.nodes[node];
        let raw = &self.source[start as usize..end as usize];
        if escaped { Cow::Owned(unescaped(raw)) } else { Cow::Borrowed(raw) }
    }

    /// Returns the first value in an array or object, and its end.
    pub(crate) fn within(&self, node: usize) -> (usize, usize) {
        (node + 1, self.nodes[node].next as usize)
    }

    /// Returns the value after this one.
    pub(crate) fn behind(&self, node: usize) -> usize {
        self.nodes[node].next as usize
    }
}

#[cfg(test)]
mod tests;
