//! The tokens of an expression.

use std::iter::Peekable;
use std::str::CharIndices;

/// The maximum length of an expression, in bytes.
const BYTES_MAX: usize = 4096;

/// How deep an expression may be nested. Each level takes some kilobytes of the stack, and no service
/// needs as many; 32 is also AWS's limit for nested attributes.
const DEPTH_MAX: usize = 32;

/// A token of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// The name of an attribute or a function, or a keyword.
    Word(String),
    /// `#name`.
    Name(String),
    /// `:value`.
    Value(String),
    Index(usize),
    Symbol(&'static str),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Self::Word(text) | Self::Name(text) | Self::Value(text) => text.clone(),
            Self::Index(index) => index.to_string(),
            Self::Symbol(symbol) => (*symbol).to_owned(),
        }
    }
}

/// The tokens of an expression, read from the left.
pub(super) struct Tokens {
    tokens: Vec<Token>,
    next: usize,
    /// How deep the next token is nested.
    depth: usize,
}

/// The reason why an expression is invalid.
pub(super) type Reason = String;

impl Tokens {
    pub(super) fn of(expression: &str) -> Result<Self, Reason> {
        if expression.trim().is_empty() {
            return Err("The expression can not be empty;".to_owned());
        }
        if expression.len() > BYTES_MAX {
            return Err(format!(
                "Expression size has exceeded the maximum allowed size; expression size: {}",
                expression.len()
            ));
        }
        let mut tokens = Vec::new();
        let mut chars = expression.char_indices().peekable();
        while let Some((start, first)) = chars.next() {
            if first.is_whitespace() {
                continue;
            }
            let two = expression.get(start..start + 2).unwrap_or_default();
            tokens.push(match first {
                '#' => Token::Name(word(expression, start, &mut chars)),
                ':' => Token::Value(word(expression, start, &mut chars)),
                'a'..='z' | 'A'..='Z' | '_' => Token::Word(word(expression, start, &mut chars)),
                '0'..='9' => {
                    let text = word(expression, start, &mut chars);
                    Token::Index(text.parse().map_err(|_| syntax(&text))?)
                }
                _ => {
                    let symbol = symbol(two).or_else(|| symbol(&first.to_string()));
                    let symbol = symbol.ok_or_else(|| syntax(&first.to_string()))?;
                    if symbol.len() == 2 {
                        chars.next();
                    }
                    Token::Symbol(symbol)
                }
            });
        }
        Ok(Self { tokens, next: 0, depth: 0 })
    }

    /// Reads a part of the expression that is nested in the one before.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        if self.depth >= DEPTH_MAX {
            return Err(format!(
                "not simulated: the expression is nested deeper than {DEPTH_MAX};"
            ));
        }
        self.depth += 1;
        let part = read(self);
        self.depth -= 1;
        part
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    pub(super) fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.next + 1)
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned();
        self.next += usize::from(token.is_some());
        token
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.next >= self.tokens.len()
    }

    /// The number of words that are taken.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    /// The position after the group in parentheses that is next, if one is.
    pub(super) fn end_of_group(&self) -> Option<usize> {
        let mut open = 0_usize;
        for (place, token) in self.tokens.iter().enumerate().skip(self.next) {
            match token {
                Token::Symbol("(") => open += 1,
                Token::Symbol(")") => open = open.checked_sub(1)?,
                _ => {}
            }
            if open == 0 {
                return (place > self.next).then_some(place + 1);
            }
        }
        None
    }

    /// Takes the symbol, if it is next.
    pub(super) fn take(&mut self, symbol: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Symbol(next)) if *next == symbol);
        self.next += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), Reason> {
        if self.take(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Whether the next word is this keyword, in any case.
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword))
    }

    /// Takes the keyword, if it is next.
    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let is_next = self.is_keyword(keyword);
        self.next += usize::from(is_next);
        is_next
    }

    /// The error about the next word.
    pub(super) fn unexpected(&self) -> Reason {
        syntax(&self.peek().map_or_else(|| "<EOF>".to_owned(), Token::text))
    }
}

fn syntax(token: &str) -> Reason {
    format!("Syntax error; token: \"{token}\"")
}

fn symbol(text: &str) -> Option<&'static str> {
    const SYMBOLS: [&str; 14] =
        ["<>", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ",", ".", "+", "-"];
    SYMBOLS.into_iter().find(|symbol| *symbol == text)
}

/// The word that begins at `start`, of whose characters the first is already taken.
fn word(expression: &str, start: usize, chars: &mut Peekable<CharIndices<'_>>) -> String {
    while chars.next_if(|(_, char)| char.is_ascii_alphanumeric() || *char == '_').is_some() {}
    let end = chars.peek().map_or(expression.len(), |(end, _)| *end);
    expression.get(start..end).unwrap_or_default().to_owned()
}
