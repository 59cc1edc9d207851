//! The documentation of an endpoint: the first comment of its file.

use tooling::Error;

use crate::service::Service;

/// The documentation of an endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// The folder of its file.
    pub(super) tag: String,
    /// The summary: the sentence after the route.
    pub(super) summary: String,
    /// Further paragraphs; often none.
    pub(super) description: String,
}

impl Words {
    /// The documentation of this binary's endpoint. The comment must begin with its route.
    ///
    /// # Errors
    ///
    /// If the package has no such binary, or its comment does not begin with the route.
    pub(super) fn of(service: &Service, binary: &str, route: &str) -> Result<Self, Error> {
        let file = service.binaries().get(binary);
        let package = service.package();
        let file = file.ok_or_else(|| format!("{package} has no binary {binary}"))?;
        let source = fs_err::read_to_string(file)?;
        let name = service.name_of(file);
        Self::in_source(service.group(file), &source, route)
            .ok_or_else(|| format!("{name} does not begin with //! `{route}`: …").into())
    }

    fn in_source(tag: String, source: &str, route: &str) -> Option<Self> {
        let comment = source.lines().map_while(|line| line.strip_prefix("//!"));
        let comment = comment.map(str::trim).collect::<Vec<_>>().join("\n");
        let said = comment.strip_prefix(&format!("`{route}`: "))?;
        let (summary, description) = said.split_once("\n\n").unwrap_or((said, ""));
        let summary = summary.trim_end_matches('.').replace('\n', " ");
        let mut rest = summary.chars();
        let first = rest.next()?.to_uppercase();
        Some(Self {
            tag,
            summary: format!("{first}{}", rest.as_str()),
            description: description.split("\n\n").map(one_line).collect::<Vec<_>>().join("\n\n"),
        })
    }
}

fn one_line(paragraph: &str) -> String {
    paragraph.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_comment_is_route_summary_and_further_paragraphs() {
        let source = "//! `GET /notes`: all notes,\n//! by age.\n//!\n//! Few\n//! know.\n\nuse x;";
        let words = Words::in_source("notes".to_owned(), source, "GET /notes").unwrap();
        assert_eq!(words.summary, "All notes, by age");
        assert_eq!(words.description, "Few know.");
        assert_eq!(Words::in_source("notes".to_owned(), source, "POST /notes"), None);
    }

    #[test]
    fn a_summary_may_begin_with_any_character() {
        for (source, expected) in [
            ("//! `GET /notes`: \u{e9}crits.", Some("\u{c9}crits")),
            ("//! `GET /notes`: 10 notes.", Some("10 notes")),
            ("//! `GET /notes`: .", None),
        ] {
            let words = Words::in_source("notes".to_owned(), source, "GET /notes");
            assert_eq!(words.map(|it| it.summary).as_deref(), expected, "{source}");
        }
    }
}
