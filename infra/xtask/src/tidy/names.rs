//! Names in documents: the code has each one.
//!
//! A name is a span in backticks in snake case, lower or upper: a function, a queue, a metric, an
//! error code, a variable.

use std::collections::HashSet;

use super::paths::in_backticks;
use super::released::has_extension;

/// The document by which an operator filters logs and metrics.
const RUNBOOK: &str = "infra/docs/RUNBOOK.md";

/// The heading of a glossary's section whose names no longer exist.
const RENAMES: &str = "\n## Renames";

/// Names that this repository does not define, with the program that does.
const FOREIGN: [(&str, &str); 4] = [
    ("IMPORT_COMPLETE", "CloudFormation"),
    ("IN_SYNC", "CloudFormation"),
    ("UPDATE_COMPLETE", "CloudFormation"),
    ("asyncio_detailed", "openapi-python-client"),
];

/// The beginning of a line with a bad example, which the code must not have.
const BAD_EXAMPLE: &str = "> Bad:";

/// This file, whose lists are no proof that the code has a name.
const LISTS: &str = "infra/xtask/src/tidy/names.rs";

/// The names in documents that the code does not have. The names in the runbook, and the messages
/// by which it filters the log, are values of the deployed code or words of the stacks.
pub(super) fn unknown(texts: &[(&str, &str)]) -> Vec<String> {
    let code = texts.iter().filter(|(path, _)| !is_document(path) && *path != LISTS);
    let code: HashSet<&str> = code.flat_map(|(path, text)| words(path, text)).collect();
    let deployed: HashSet<&str> =
        texts.iter().flat_map(|(path, text)| values(path, text)).collect();
    let mut complaints = Vec::new();
    for (path, text) in texts.iter().filter(|(path, _)| is_document(path)) {
        let known = if *path == RUNBOOK { &deployed } else { &code };
        let names = spans(text).filter(|name| is_name(name) && !is_excepted(name, text));
        let filtered = messages(text).filter(|_| *path == RUNBOOK);
        for name in names.chain(filtered).filter(|name| !known.contains(name)) {
            complaints.push(format!("{path}: the code has no `{name}`"));
        }
    }
    complaints
}

fn is_document(path: &str) -> bool {
    has_extension(path, "md")
}

/// The spans in backticks, those of bad examples and of a section about renames excepted.
fn spans(document: &str) -> impl Iterator<Item = &str> {
    let current = document.split(RENAMES).next().unwrap_or_default();
    let lines = current.lines().filter(|line| !line.starts_with(BAD_EXAMPLE));
    lines.flat_map(in_backticks)
}

/// Whether a span is in snake case and has several words.
fn is_name(span: &str) -> bool {
    let consists_of = |is_letter: fn(&u8) -> bool| {
        span.bytes().all(|byte| byte == b'_' || byte.is_ascii_digit() || is_letter(&byte))
    };
    let has_words = span.trim_matches('_').contains('_');
    has_words && (consists_of(u8::is_ascii_lowercase) || consists_of(u8::is_ascii_uppercase))
}

/// Whether another program, or the document's own shell code, defines the name.
fn is_excepted(name: &str, document: &str) -> bool {
    let is_foreign = FOREIGN.iter().any(|(foreign, _)| *foreign == name);
    is_foreign || document.contains(&format!("\n{name}() {{"))
}

/// The messages by which the log is filtered.
fn messages(document: &str) -> impl Iterator<Item = &str> {
    let filters = document.split("message = \"").skip(1);
    filters.filter_map(|rest| rest.split_once('"').map(|(message, _)| message))
}

/// The words of a file; those of Rust comments excepted.
fn words<'t>(path: &str, text: &'t str) -> impl Iterator<Item = &'t str> {
    let is_rust = has_extension(path, "rs");
    let lines = text.lines().filter(move |line| !is_rust || !is_comment(line));
    lines.flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric() && letter != '_'))
}

/// Whether a line of Rust is a comment.
fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// The strings and constants of the deployed Rust code, and the words of the stacks.
fn values<'t>(path: &str, text: &'t str) -> Vec<&'t str> {
    let is_stack =
        path == "template.yaml" || path.starts_with("infra/") && has_extension(path, "yaml");
    let is_deployed = ["functions/", "shared/"].iter().any(|top| path.starts_with(top));
    if is_stack {
        return words(path, text).collect();
    }
    if !is_deployed || !has_extension(path, "rs") || path.contains("/tests") {
        return Vec::new();
    }
    let lines = text.lines().filter(|line| !is_comment(line));
    let strings = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    let is_constant =
        |word: &&str| is_name(word) && !word.bytes().any(|it| it.is_ascii_lowercase());
    strings.chain(words(path, text).filter(is_constant)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: [(&str, &str); 4] = [
        (
            "shared/domain/src/error_codes.rs",
            "// OLD_CODE\nEMAIL_TAKEN: Conflict, \"It is taken.\";",
        ),
        ("shared/aws/src/table.rs", "error!(\"cannot be read\"); fn read_rows() {}"),
        ("infra/alarms.yaml", "MetricName: faults_total"),
        ("infra/xtask/src/cost/mod.rs", "const ONLY_HERE: u8 = 1;"),
    ];

    fn unknown_in(path: &str, text: &str) -> Vec<String> {
        let mut texts = CODE.to_vec();
        texts.push((path, text));
        unknown(&texts)
    }

    #[test]
    fn a_name_that_only_a_comment_has_is_found() {
        let text = "`OLD_CODE` and `no_function`; `read_rows`, `EMAIL_TAKEN`, `ONLY_HERE`.";
        assert_eq!(
            unknown_in("README.md", text),
            ["README.md: the code has no `OLD_CODE`", "README.md: the code has no `no_function`"]
        );
    }

    #[test]
    fn the_runbook_names_only_values_of_the_deployed_code_and_of_the_stacks() {
        let good = "`faults_total`, `EMAIL_TAKEN`, `filter message = \"cannot be read\"`";
        assert_eq!(unknown_in(RUNBOOK, good), Vec::<String>::new());
        let bad = "`read_rows`, `ONLY_HERE`, `filter message = \"is not read\"`";
        assert_eq!(
            unknown_in(RUNBOOK, bad),
            ["read_rows", "ONLY_HERE", "is not read"]
                .map(|name| format!("{RUNBOOK}: the code has no `{name}`"))
        );
    }

    #[test]
    fn foreign_names_shell_functions_bad_examples_and_renames_are_no_mistakes() {
        let good = "`IN_SYNC`, `deploy_build`, `word`, `Type`, `/a_b`\n\ndeploy_build() { true; }\n\
                    \n> Bad: `bad_name`\n\n## Renames\n`old_name`";
        assert_eq!(unknown_in("infra/docs/DATA.md", good), Vec::<String>::new());
    }
}
