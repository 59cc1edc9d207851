//! The texts of a file that people read: comments, string literals and names of tests.

use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};

/// One text, with the byte at which it starts in its file.
#[derive(Debug, PartialEq)]
pub(super) struct Text {
    pub(super) start: usize,
    pub(super) words: String,
    /// Whether it is an error text, a log line or the text of a panic.
    pub(super) is_report: bool,
}

impl Text {
    fn of(start: usize, words: &str) -> Self {
        Self { start, words: words.to_owned(), is_report: false }
    }
}

/// Macros and methods whose strings end up in logs and errors.
const REPORTS: [&str; 12] = [
    "error",
    "warn",
    "info",
    "debug",
    "trace",
    "panic",
    "unreachable",
    "expect",
    "expect_err",
    "assert",
    "bail",
    "anyhow",
];

/// The texts of a file, by its extension.
pub(super) fn texts(path: &str, content: &str) -> Vec<Text> {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("rs") => of_rust(content),
        Some("md") => vec![Text::of(0, content)],
        Some("yaml" | "yml" | "toml" | "py" | "sh") => of_hash_comments(content),
        _ => Vec::new(),
    }
}

fn of_rust(content: &str) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut place = 0;
    // Whether each open bracket belongs to a log line, an error or a panic.
    let mut brackets: Vec<bool> = Vec::new();
    let mut last: Vec<&str> = Vec::new();
    let mut test_follows = false;
    for token in tokenize(content, FrontmatterAllowed::No) {
        let start = place;
        place += token.len as usize;
        let Some(written) = content.get(start..place) else { continue };
        match token.kind {
            TokenKind::Whitespace => continue,
            TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => {
                texts.push(Text::of(start, written));
                continue;
            }
            TokenKind::Literal {
                kind: LiteralKind::Str { .. } | LiteralKind::RawStr { .. },
                ..
            } => {
                let is_report = brackets.contains(&true);
                let words = without_placeholders(written);
                texts.push(Text { start, words, is_report });
            }
            TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => {
                let body = matches!(token.kind, TokenKind::OpenBrace);
                brackets.push(!body && opens_report(&last));
            }
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => {
                brackets.pop();
            }
            TokenKind::Ident if last.last() == Some(&"fn") && test_follows => {
                test_follows = false;
                texts.push(Text::of(start, &written.replace('_', " ")));
            }
            TokenKind::Ident if written == "test" && is_attribute(&last) => test_follows = true,
            _ => {}
        }
        last.push(written);
        if last.len() > 6 {
            last.remove(0);
        }
    }
    texts
}

/// A literal with blanks in the place of `{name}`: names are code. Places stay as they are.
fn without_placeholders(literal: &str) -> String {
    let mut inside = false;
    let blank = |character: char| {
        inside = (inside || character == '{') && character != '}' && character != '"';
        if inside { " ".repeat(character.len_utf8()) } else { character.to_string() }
    };
    literal.chars().map(blank).collect()
}

/// Whether the tokens before an opening bracket name a report: `warn!(`, `.expect(` or `#[error(`.
fn opens_report(before: &[&str]) -> bool {
    match before {
        [.., name, "!"] | [.., ".", name] => REPORTS.contains(name),
        [.., "#", "[", name] => *name == "error",
        _ => false,
    }
}

/// Whether the next word is an attribute, alone or behind the path of its crate.
fn is_attribute(before: &[&str]) -> bool {
    matches!(before, [.., "#", "["] | [.., "#", "[", _, ":", ":"])
}

fn of_hash_comments(content: &str) -> Vec<Text> {
    let mut start = 0;
    let mut texts = Vec::new();
    for line in content.split_inclusive('\n') {
        if let Some(hash) = line.find('#') {
            texts.push(Text::of(start + hash, line.get(hash..).unwrap_or_default()));
        }
        start += line.len();
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(path: &str, content: &str) -> Vec<(String, bool)> {
        texts(path, content).into_iter().map(|text| (text.words, text.is_report)).collect()
    }

    #[test]
    fn comments_strings_and_names_of_tests_are_texts_and_code_is_not() {
        let code = "//! Head\nfn what() { let x = 'a'; y(\"it\"); }\n#[tokio::test]\nasync fn nobody_is() {}";
        let expected = [("//! Head", false), ("\"it\"", false), ("nobody is", false)];
        assert_eq!(words("a.rs", code), expected.map(|(text, report)| (text.to_owned(), report)));
    }

    #[test]
    fn a_string_of_a_log_line_an_error_or_a_panic_is_a_report() {
        for code in [
            "tracing::warn!(error = %e, \"gone\");",
            "#[error(\"gone\")] struct E;",
            "x.expect(\"gone\")",
            "panic!(\"gone\")",
            "warn!(x = f(g), \"gone\")",
        ] {
            assert_eq!(words("a.rs", code), [("\"gone\"".to_owned(), true)], "{code}");
        }
        assert_eq!(words("a.rs", "say(\"gone\")"), [("\"gone\"".to_owned(), false)]);
        assert_eq!(words("a.rs", "error(\"gone\")"), [("\"gone\"".to_owned(), false)]);
    }

    #[test]
    fn a_name_in_a_placeholder_is_no_word() {
        assert_eq!(
            words("a.rs", "f(\"{told} é {what:?} said\")")[0].0,
            "\"     } é        } said\""
        );
    }

    #[test]
    fn of_yaml_only_comments_are_texts() {
        let found = texts("a.yaml", "a: nobody\nb: 1 # a reason\n");
        assert_eq!(found, [Text::of(15, "# a reason\n")]);
    }
}
