//! `cargo xtask lines`: counts the code of the second service, and of the same functions in plain
//! Rust.
//!
//! Blank lines, comments and tests do not count. Its README has the table, and a test compares.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use tooling::Error;
use tooling::context::Context;
use tooling::terminal::say;

/// The service on the crates.
const SERVICE: &str = "infra/examples/loans";
/// Three of its functions without them.
const PLAIN: &str = "infra/examples/loans-plain";
/// The beginning of the names of plain binaries: both services share a folder of binaries.
const PLAIN_PREFIX: &str = "plain_";
/// The library's example values, which only tests use.
const FOR_TESTS: &str = "examples";

const START: &str = "<!-- Written by `cargo xtask lines --write`. -->\n";
const END: &str = "<!-- End of the lines. -->\n";

#[derive(clap::Parser)]
#[command(
    name = "cargo xtask lines",
    about = "Counts the lines of the second service and of its plain twin."
)]
pub(crate) struct Arguments {
    /// Writes the table into the service's README.
    #[arg(long)]
    write: bool,
}

/// Prints the table, or writes it.
///
/// # Errors
///
/// When a file cannot be read or written, or the README has no place for the table.
pub(crate) fn run(workspace: &Path, arguments: &Arguments) -> Result<(), Error> {
    let table = table(workspace)?;
    if !arguments.write {
        say(table.trim_end());
        return Ok(());
    }
    let document = workspace.join(SERVICE).join("README.md");
    let text = fs_err::read_to_string(&document)?;
    Ok(fs_err::write(&document, with_table(&text, &table).context(|| "README.md")?)?)
}

/// The table of both services, in Markdown.
fn table(workspace: &Path) -> Result<String, Error> {
    let functions = counts(&workspace.join(SERVICE).join("src/bin"))?;
    let plain = counts(&workspace.join(PLAIN).join("src/bin"))?;
    let shared = |folder: &str| -> Result<usize, Error> {
        let files = counts(&workspace.join(folder).join("src"))?;
        Ok(files.iter().filter(|(name, _)| *name != FOR_TESTS).map(|(_, count)| count).sum())
    };
    let mut table = "| lines of code | with the crates | plain |\n|---|---|---|\n".to_owned();
    // Writing to a String cannot fail.
    for (name, count) in &functions {
        let other = plain.get(&format!("{PLAIN_PREFIX}{name}"));
        let other = other.map_or_else(|| "–".to_owned(), ToString::to_string);
        let _ = writeln!(table, "| `{name}` | {count} | {other} |");
    }
    let _ =
        writeln!(table, "| shared by the functions | {} | {} |", shared(SERVICE)?, shared(PLAIN)?);
    Ok(table)
}

/// The lines of code of each Rust file in a folder, by its name.
fn counts(folder: &Path) -> Result<BTreeMap<String, usize>, Error> {
    let mut counts = BTreeMap::new();
    for file in fs_err::read_dir(folder)? {
        let path = file?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        if let (Some(name), true) = (name, path.extension().is_some_and(|kind| kind == "rs")) {
            counts.insert(name, lines(&fs_err::read_to_string(&path)?));
        }
    }
    Ok(counts)
}

/// The lines of a Rust file that are neither blank, nor a comment, nor in its tests.
fn lines(text: &str) -> usize {
    let code = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
    let lines = code.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

/// The document with this table between the markers.
fn with_table(document: &str, table: &str) -> Result<String, Error> {
    let parts = document.split_once(START).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some(format!("{before}{START}{table}{END}{after}"))
    });
    parts.ok_or_else(|| "there is no place for the lines between the markers".into())
}

#[cfg(test)]
mod tests {
    use house::workspace;

    use super::*;

    #[test]
    fn blank_lines_comments_and_tests_are_no_code() {
        let text =
            "//! Head.\n\nfn main() {\n    // Why.\n    run();\n}\n\n#[cfg(test)]\nmod tests {}\n";
        assert_eq!(lines(text), 3);
    }

    #[test]
    fn a_document_without_markers_is_an_error() {
        assert!(with_table("# Title\n", "").is_err());
        let document = format!("a\n{START}old\n{END}b\n");
        assert_eq!(with_table(&document, "new\n").unwrap(), format!("a\n{START}new\n{END}b\n"));
    }

    #[test]
    fn the_readme_has_the_lines_of_the_code() {
        let document = workspace().join(SERVICE).join("README.md");
        let text = fs_err::read_to_string(document).unwrap();
        let table = table(workspace()).unwrap();
        assert!(text.contains(&table), "run `cargo xtask lines --write`:\n{table}");
    }
}
