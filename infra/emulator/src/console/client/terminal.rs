//! The form that standard output can show.

use std::io::{IsTerminal, Write, stdout};

use super::draw::style::Style;

/// The width where standard output is no terminal.
const WIDTH: usize = 80;
/// Boxes and times need this width.
const WIDTH_MIN: usize = 40;

/// The style of standard output.
pub(super) fn style() -> Style {
    let size = rustix::termios::tcgetwinsize(stdout()).ok();
    let width = size.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0);
    of(is_terminal(), width, |name| std::env::var(name).ok())
}

/// Whether a person sees standard output.
pub(super) fn is_terminal() -> bool {
    stdout().is_terminal()
}

/// Clears the terminal.
pub(super) fn clear() {
    print("\u{1b}[2J\u{1b}[H");
}

/// Writes to standard output. A closed pipe, such as that of `head`, is no error.
pub(super) fn print(text: &str) {
    let mut output = stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).ok();
}

/// The style for a terminal of that width, by the environment. `NO_COLOR` is that of no-color.org.
fn of(is_terminal: bool, width: Option<usize>, variable: impl Fn(&str) -> Option<String>) -> Style {
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    let locale = given("LC_ALL").or_else(|| given("LC_CTYPE")).or_else(|| given("LANG"));
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    let is_dumb = given("TERM").is_none_or(|term| term == "dumb");
    Style {
        width: width.unwrap_or(WIDTH).max(WIDTH_MIN),
        colours: is_terminal && !is_dumb && given("NO_COLOR").is_none(),
        unicode: locale.contains("utf-8") || locale.contains("utf8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(is_terminal: bool, width: Option<usize>, variables: &[(&str, &str)]) -> Style {
        of(is_terminal, width, |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn only_a_terminal_without_no_color_gets_colours() {
        let term = ("TERM", "xterm");
        assert!(with(true, None, &[term]).colours);
        assert!(with(true, None, &[term, ("NO_COLOR", "")]).colours);
        assert!(!with(true, None, &[term, ("NO_COLOR", "1")]).colours);
        assert!(!with(true, None, &[("TERM", "dumb")]).colours);
        assert!(!with(false, None, &[term]).colours);
    }

    #[test]
    fn unicode_follows_the_first_variable_of_the_locale_that_is_set() {
        for (variables, unicode) in [
            (&[("LANG", "en_GB.UTF-8")][..], true),
            (&[("LANG", "C.utf8")], true),
            (&[("LANG", "C")], false),
            (&[], false),
            (&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", "de_DE.UTF-8"), ("LANG", "C")], true),
        ] {
            assert_eq!(with(true, None, variables).unicode, unicode, "{variables:?}");
        }
    }

    #[test]
    fn the_width_is_that_of_the_terminal_or_80() {
        assert_eq!(with(true, Some(132), &[]).width, 132);
        assert_eq!(with(false, None, &[]).width, 80);
        assert_eq!(with(true, Some(10), &[]).width, 40);
    }
}
