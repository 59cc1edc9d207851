//! The parser of JSON texts (RFC 8259).

use super::escapes::code_point;
use super::node::{Kind, Node, position};

/// The maximum nesting depth: no type is nested deeper, and reading is recursive.
pub(super) const DEPTH_MAX: usize = 64;

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

/// Reads a JSON text into nodes.
pub(super) struct Parser<'a> {
    text: &'a [u8],
    /// The position that is read next: after an error, the position of the error.
    pub(super) at: usize,
    pub(super) nodes: Vec<Node>,
    open: Vec<Open>,
}

/// The error is the text that was expected.
pub(super) type Parsed<T> = Result<T, &'static str>;

impl<'a> Parser<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, nodes: Vec::new(), open: Vec::new() }
    }

    /// Parses one value up to the end of the text. Nesting uses no stack.
    pub(super) fn document(&mut self) -> Parsed<()> {
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
