//! Paths in documents: each one is a tracked file or folder.

use super::released::has_extension;

/// The folders with which a path begins.
const FOLDERS: [&str; 7] =
    [".cargo/", ".ci/", ".github/", "functions/", "infra/", "shared/", "tests/"];

/// The folder of a service's files: a path in its documents is one of that service.
const STARTER: &str = "infra/starter/";

/// Parts of paths that no tracked file has, with the reason.
const EXCEPTED: [(&str, &str); 1] =
    [("get_greeting", "the endpoint that a reader of ADD_AN_ENDPOINT.md adds")];

/// The paths in backticks of a document that are neither a file nor a folder of these.
pub(super) fn missing(path: &str, text: &str, files: &[String]) -> Vec<String> {
    if !has_extension(path, "md") || path.starts_with(STARTER) {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let paths = in_backticks(line).flat_map(str::split_whitespace).filter_map(named);
        for missing in paths.filter(|found| !is_tracked(found, files)) {
            complaints.push(format!("{path}:{}: {missing} does not exist", number + 1));
        }
    }
    complaints
}

/// The spans in backticks of a line.
pub(super) fn in_backticks(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The path that a word names, without its line or heading; `None` for a placeholder.
fn named(word: &str) -> Option<&str> {
    let word = word.trim_matches(['(', ')', ',', ';', '"', '\'']);
    let is_placeholder = word.contains(['<', '>', '*', '…', '{', '}', '$']);
    let is_excepted = EXCEPTED.iter().any(|(part, _)| word.contains(part));
    let is_path = FOLDERS.iter().any(|folder| word.starts_with(folder));
    let path = word.split(['#', ':']).next()?;
    (is_path && !is_placeholder && !is_excepted).then(|| path.trim_end_matches('/'))
}

fn is_tracked(path: &str, files: &[String]) -> bool {
    let is_it_or_below = |file: &String| {
        file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    files.iter().any(is_it_or_below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing_in(text: &str) -> Vec<String> {
        let files = ["infra/alarms.yaml", "shared/aws/src/lib.rs"].map(str::to_owned);
        missing("README.md", text, &files)
    }

    #[test]
    fn a_path_to_neither_a_file_nor_a_folder_is_found_with_its_line() {
        let found = missing_in("See\n`infra/alarm.yaml`, `shared/aws/s` and `cat tests/api`.");
        let expected = ["infra/alarm.yaml", "shared/aws/s", "tests/api"];
        assert_eq!(found, expected.map(|path| format!("README.md:2: {path} does not exist")));
    }

    #[test]
    fn files_folders_placeholders_and_other_words_are_no_mistakes() {
        let good = "`infra/alarms.yaml`, `infra/alarms.yaml#age`, `shared/aws/`, `shared/aws/src`, \
                    `shared/aws/src/lib.rs:12`, `functions/<area>/*.rs`, infra/none, `target/none`, \
                    `functions/people/get_greeting.rs`, `cat infra/alarms.yaml`";
        assert_eq!(missing_in(good), Vec::<String>::new());
    }
}
