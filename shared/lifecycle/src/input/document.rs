//! The structure of a text, found in one pass: the place and the kind of each value.
//!
//! No value is decoded or copied. A value that no type asks for is skipped in one step, whatever
//! its size, so that reading a body takes linear time.

use std::borrow::Cow;
use std::fmt;

/// The maximum nesting depth: no type is nested deeper, and reading is recursive.
const DEPTH_MAX: usize = 64;

/// The values of a JSON text, or the names and texts of another part of a request.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    source: Cow<'a, str>,
    /// The values, in the order of the text; each is followed by the values inside it. A member of
    /// an object is its name and then its value.
    nodes: Vec<Node>,
}

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
    /// An array or object beyond [`DEPTH_MAX`]; its content is skipped.
    TooDeep,
    /// A text outside JSON, which may stand for a number or a boolean.
    Word,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    escaped: bool,
    /// Its position in the source, without the quotes.
    start: u32,
    end: u32,
    /// The index of the node after it and its content.
    next: u32,
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
        let mut parser =
            Parser { text: text.as_bytes(), at: 0, nodes: Vec::new(), open: Vec::new() };
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

impl Node {
    fn of(kind: Kind, start: usize) -> Self {
        Self { kind, escaped: false, start: position(start), end: position(start), next: 0 }
    }
}

/// Texts are much shorter than 4 GiB: Lambda's events have at most 6 MB.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Decodes a JSON string with escapes. Half of a surrogate pair becomes U+FFFD.
fn unescaped(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, behind)) = rest.split_once('\\') {
        text.push_str(before);
        let mut after = behind.chars();
        rest = match after.next() {
            Some('u') => {
                let (character, length) = code_point(after.as_str().as_bytes());
                text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
                &after.as_str()[length..]
            }
            other => {
                text.extend(other.map(|letter| match letter {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    itself => itself,
                }));
                after.as_str()
            }
        };
    }
    text.push_str(rest);
    text
}

/// Decodes the hexadecimal digits after `\u`, and returns the length of their spelling. The
/// character is `None` for half of a surrogate pair.
fn code_point(digits: &[u8]) -> (Option<char>, usize) {
    let high = hexadecimal(digits);
    let low = match digits.get(4..6) {
        Some(b"\\u") => hexadecimal(&digits[6..]),
        _ => None,
    };
    match (high, low) {
        (Some(high @ 0xD800..0xDC00), Some(low @ 0xDC00..0xE000)) => {
            (char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 10)
        }
        (Some(single), _) => (char::from_u32(single), 4),
        (None, _) => (None, 0),
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits
        .get(..4)?
        .iter()
        .try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

/// An array or object that has not ended. There may be as many as the text has bytes, so this type
/// is small.
struct Open {
    /// Its node; [`UNTOLD`] inside a value that is nested too deeply.
    node: u32,
    is_object: bool,
    is_empty: bool,
}

/// The index of a node that does not exist.
const UNTOLD: u32 = u32::MAX;

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    open: Vec<Open>,
}

/// The error is the text that was expected.
type Parsed<T> = Result<T, &'static str>;

impl Parser<'_> {
    /// Parses one value up to the end of the text. Nesting uses no stack.
    fn document(&mut self) -> Parsed<()> {
        self.value()?;
        while let Some(innermost) = self.open.last_mut() {
            let is_first = std::mem::replace(&mut innermost.is_empty, false);
            let (end, expected) = match (innermost.is_object, is_first) {
                (true, true) => (b'}', "a name in quotes or `}`"),
                (true, false) => (b'}', "`,` or `}`"),
                (false, true) => (b']', "a value or `]`"),
                (false, false) => (b']', "`,` or `]`"),
            };
            let is_object = innermost.is_object;
            self.skip_blanks();
            match self.peek() {
                Some(byte) if byte == end => {
                    self.at += 1;
                    self.close();
                    continue;
                }
                None => return Err(expected),
                Some(_) => {}
            }
            if !is_first {
                self.eat(b',', expected)?;
            }
            if is_object {
                self.name()?;
            }
            self.value()?;
        }
        self.skip_blanks();
        if self.at == self.text.len() { Ok(()) } else { Err("the end of the body") }
    }

    fn name(&mut self) -> Parsed<()> {
        self.skip_blanks();
        if self.peek() != Some(b'"') {
            return Err("a name in quotes");
        }
        self.string()?;
        self.skip_blanks();
        self.eat(b':', "`:`")
    }

    fn value(&mut self) -> Parsed<()> {
        self.skip_blanks();
        match self.peek() {
            Some(b'{') => self.begin(Kind::Object),
            Some(b'[') => self.begin(Kind::Array),
            Some(b'"') => return self.string(),
            Some(b'-' | b'0'..=b'9') => return self.number(),
            Some(b'n') => return self.literal(b"null", Kind::Null),
            Some(b't') => return self.literal(b"true", Kind::True),
            Some(b'f') => return self.literal(b"false", Kind::False),
            _ => return Err("a value"),
        }
        Ok(())
    }

    fn begin(&mut self, kind: Kind) {
        let is_object = kind == Kind::Object;
        let kind = if self.open.len() < DEPTH_MAX { kind } else { Kind::TooDeep };
        let node = if self.is_told() { position(self.nodes.len()) } else { UNTOLD };
        self.add(kind, false, self.at);
        self.at += 1;
        self.open.push(Open { node, is_object, is_empty: true });
    }

    fn close(&mut self) {
        let node = self.open.pop().map_or(UNTOLD, |open| open.node);
        if node != UNTOLD {
            self.nodes[node as usize].next = position(self.nodes.len());
        }
    }

    fn string(&mut self) -> Parsed<()> {
        self.at += 1;
        let (start, mut escaped, mut kind) = (self.at, false, Kind::Text);
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    if !self.escape()? {
                        kind = Kind::Broken;
                    }
                }
                Some(0..0x20) => return Err("an escape instead of a control character"),
                Some(_) => self.at += 1,
                None => return Err("the end of a text, `\"`,"),
            }
        }
        self.add(kind, escaped, start);
        self.at += 1;
        Ok(())
    }

    /// Skips an escape, and returns whether it is valid Unicode.
    fn escape(&mut self) -> Parsed<bool> {
        self.at += 1;
        let letter = self.peek();
        match letter {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(true)
            }
            Some(b'u') => {
                self.at += 1;
                let (character, length) = code_point(&self.text[self.at..]);
                if length == 0 {
                    return Err("four hexadecimal digits");
                }
                self.at += length;
                Ok(character.is_some())
            }
            _ => Err("an escape"),
        }
    }

    fn number(&mut self) -> Parsed<()> {
        let start = self.at;
        self.pass(b"-");
        let leading_zero = self.peek() == Some(b'0');
        let digits = self.digits()?;
        if leading_zero && digits > 1 {
            self.at = start;
            return Err("a number without leading zeros");
        }
        if self.pass(b".") {
            self.digits()?;
        }
        if self.pass(b"eE") {
            self.pass(b"+-");
            self.digits()?;
        }
        self.add(Kind::Number, false, start);
        Ok(())
    }

    fn digits(&mut self) -> Parsed<usize> {
        let rest = &self.text[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count > 0 { Ok(count) } else { Err("a digit") }
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Parsed<()> {
        if !self.text[self.at..].starts_with(word) {
            return Err("a value");
        }
        self.add(kind, false, self.at);
        self.at += word.len();
        Ok(())
    }

    /// Whether values here become nodes: the content of a value that is nested too deeply does not.
    fn is_told(&self) -> bool {
        self.open.len() <= DEPTH_MAX
    }

    /// Adds a value that starts at `start` and ends here.
    fn add(&mut self, kind: Kind, escaped: bool, start: usize) {
        if self.is_told() {
            let next = position(self.nodes.len() + 1);
            let (start, end) = (position(start), position(self.at));
            self.nodes.push(Node { kind, escaped, start, end, next });
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn pass(&mut self, any_of: &[u8]) -> bool {
        let here = self.peek().is_some_and(|byte| any_of.contains(&byte));
        self.at += usize::from(here);
        here
    }

    fn eat(&mut self, byte: u8, expected: &'static str) -> Parsed<()> {
        if self.pass(&[byte]) { Ok(()) } else { Err(expected) }
    }

    fn skip_blanks(&mut self) {
        while self.pass(b" \t\r\n") {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// The value for comparison with `serde_json`. Numbers are compared by their spelling.
    fn value(document: &Document<'_>, node: usize) -> Value {
        let (mut at, end) = document.within(node);
        match document.kind(node) {
            Kind::Null => Value::Null,
            Kind::True => true.into(),
            Kind::False => false.into(),
            Kind::Number => serde_json::from_str(&document.text(node)).unwrap(),
            Kind::Text | Kind::Broken | Kind::Word => document.text(node).into(),
            Kind::TooDeep => "too deep".into(),
            Kind::Array => {
                let mut items = Vec::new();
                while at < end {
                    items.push(value(document, at));
                    at = document.behind(at);
                }
                items.into()
            }
            Kind::Object => {
                let mut members = serde_json::Map::new();
                while at < end {
                    members.insert(document.text(at).into_owned(), value(document, at + 1));
                    at = document.behind(at + 1);
                }
                members.into()
            }
        }
    }

    fn parsed(text: &str) -> Option<Value> {
        Document::of_json(text).ok().map(|document| value(&document, 0))
    }

    #[test]
    fn texts_are_accepted_and_refused_like_in_serde_json() {
        for text in [
            "{}",
            "[]",
            " [ 1 , 2 ] ",
            "{\"a\":{\"b\":[{},[],null,true,false]}}",
            "\"\"",
            "0",
            "-0.0e-0",
            "1E+5",
            "\"\\u0000\\\"\\\\\\/\\b\\f\\n\\r\\t\\ud83e\\udd80\"",
            "\"\u{7f}\u{2028}\"",
            // None of these is JSON.
            "",
            " ",
            "{",
            "[",
            "}",
            "[1,]",
            "{\"a\":1,}",
            "[,1]",
            "[1 2]",
            "{\"a\" 1}",
            "{a:1}",
            "{'a':1}",
            "01",
            "-",
            "1.",
            ".5",
            "+1",
            "1e",
            "1e+",
            "--1",
            "0x1",
            "NaN",
            "Infinity",
            "nul",
            "nulll",
            "True",
            "\"",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\n\"",
            "\"\t\"",
            "{} {}",
            "[]]",
            "[1]x",
            "\u{feff}{}",
            "\u{a0}1",
            "// x\n1",
            "[1}",
        ] {
            assert_eq!(parsed(text), serde_json::from_str(text).ok(), "{text}");
        }
    }

    #[test]
    fn a_syntax_error_is_reported_with_its_line_and_column() {
        for (text, told) in [
            ("", "a value is expected at line 1, column 1"),
            ("{\"a\":1 \"b\":2}", "`,` or `}` is expected at line 1, column 8"),
            ("{\n  \"a\": tru\n}", "a value is expected at line 2, column 8"),
            ("[1,\n 2", "`,` or `]` is expected at line 2, column 3"),
            ("{} {}", "the end of the body is expected at line 1, column 4"),
        ] {
            assert_eq!(Document::of_json(text).unwrap_err().to_string(), told, "{text}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_a_broken_text_and_parsing_continues() {
        for text in ["\\ud800", "\\udc00", "\\udc00\\ud800", "x\\ud83ey", "\\ud800\\ud800"] {
            let text = format!("[\"{text}\", 7]");
            let document = Document::of_json(&text).unwrap();
            assert_eq!(document.kind(1), Kind::Broken, "{text}");
            assert!(document.text(1).contains('\u{fffd}'), "{text}");
            assert_eq!(document.kind(2), Kind::Number);
        }
    }

    #[test]
    fn a_value_that_is_nested_too_deeply_is_skipped_at_any_depth() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let document = Document::of_json(&nested(DEPTH_MAX)).unwrap().nodes.len();
        assert_eq!(document, DEPTH_MAX);
        for depth in [DEPTH_MAX + 1, DEPTH_MAX + 2, 1_000_000] {
            let text = nested(depth);
            let document = Document::of_json(&text).unwrap();
            assert_eq!(document.nodes.len(), DEPTH_MAX + 1, "{depth}");
            assert_eq!(document.kind(DEPTH_MAX), Kind::TooDeep);
        }
        assert!(Document::of_json(&"[".repeat(1_000_000)).is_err());
    }

    /// Any JSON with little nesting, and with unusual spellings of numbers.
    fn json() -> impl Strategy<Value = String> {
        let text = any::<String>().prop_map(|text| Value::from(text).to_string());
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            any::<i64>().prop_map(|value| value.to_string()),
            "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9])?",
            text.clone(),
        ];
        leaf.prop_recursive(4, 32, 6, move |inner| {
            let members = prop::collection::vec((text.clone(), inner.clone()), 0..6);
            prop_oneof![
                prop::collection::vec(inner, 0..6).prop_map(|all| format!("[{}]", all.join(" ,"))),
                members.prop_map(|all| {
                    let all: Vec<_> = all.iter().map(|(k, v)| format!("{k}: {v}")).collect();
                    format!("{{{}}}", all.join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_are_the_same_as_in_serde_json(text in json()) {
            prop_assert_eq!(parsed(&text), serde_json::from_str(&text).ok());
        }

        #[test]
        fn a_text_with_an_inserted_character_is_treated_like_in_serde_json(
            text in json(), at: prop::sample::Index, odd in "[\\]\\[{}\",:0e.\\\\u \\x00-]",
        ) {
            let at = at.index(text.len() + 1);
            prop_assume!(text.is_char_boundary(at));
            let text = format!("{}{odd}{}", &text[..at], &text[at..]);
            let other = serde_json::from_str::<Value>(&text);
            // Two errors of `serde_json` are values here.
            let refused = other.as_ref().is_err_and(|error| {
                let message = error.to_string();
                message.contains("number out of range") || message.contains("surrogate")
                    || message.contains("unexpected end of hex escape")
            });
            if !refused {
                prop_assert_eq!(parsed(&text), other.ok(), "{}", text);
            }
        }
    }
}
