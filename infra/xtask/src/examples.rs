//! `cargo xtask examples`: writes the index of `infra/examples` from the first lines of its files.

use std::path::Path;

use tooling::Error;

/// The folder of the examples.
const FOLDER: &str = "infra/examples";
/// The document with the index.
const INDEX: &str = "infra/examples/README.md";
/// The lines around the index.
const MARKERS: [&str; 2] = ["<!-- cargo xtask examples -->\n", "<!-- end -->\n"];

/// Writes the index.
///
/// # Errors
///
/// If an example has no sentence, or a file cannot be read or written.
pub(crate) fn write(workspace: &Path) -> Result<(), Error> {
    let document = workspace.join(INDEX);
    let text = fs_err::read_to_string(&document)?;
    Ok(fs_err::write(document, with_index(&text, &examples(workspace)?)?)?)
}

/// The difference between the index and the examples.
///
/// # Errors
///
/// As [`write`].
pub(crate) fn complaints(workspace: &Path) -> Result<Vec<String>, Error> {
    let text = fs_err::read_to_string(workspace.join(INDEX))?;
    let is_right = with_index(&text, &examples(workspace)?)? == text;
    let complaint = || format!("{INDEX} differs from the examples: run cargo xtask examples");
    Ok((!is_right).then(complaint).into_iter().collect())
}

/// The names of the examples' files, in order, with their texts.
fn examples(workspace: &Path) -> Result<Vec<(String, String)>, Error> {
    let mut examples = Vec::new();
    for entry in fs_err::read_dir(workspace.join(FOLDER))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|kind| kind == "rs") && name != "lib.rs" {
            examples.push((name, fs_err::read_to_string(path)?));
        }
    }
    examples.sort();
    Ok(examples)
}

/// A document with the index of these examples.
fn with_index(document: &str, examples: &[(String, String)]) -> Result<String, Error> {
    let [begin, end] = MARKERS;
    let (before, rest) = document.split_once(begin).ok_or("the index has no begin")?;
    let (_, after) = rest.split_once(end).ok_or("the index has no end")?;
    let rows = examples.iter().map(|(name, text)| row(name, text));
    let rows = rows.collect::<Result<String, Error>>()?;
    Ok(format!("{before}{begin}\n| file | example |\n|---|---|\n{rows}\n{end}{after}"))
}

/// The row of an example: the first paragraph of its comment.
fn row(name: &str, text: &str) -> Result<String, Error> {
    let lines = text.lines().map_while(|line| line.strip_prefix("//! "));
    let sentence = lines.collect::<Vec<_>>().join(" ");
    if sentence.is_empty() {
        return Err(format!("{FOLDER}/{name} begins without a sentence").into());
    }
    Ok(format!("| [`{name}`]({name}) | {sentence} |\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_has_every_example() {
        assert_eq!(complaints(house::workspace()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_index_is_written_from_the_first_paragraphs() {
        let document = format!("# Examples\n{}old\n{}More.\n", MARKERS[0], MARKERS[1]);
        let text = "//! An endpoint:\n//! one.\n//!\n//! Call it.\nfn main() {}\n".to_owned();
        let index = with_index(&document, &[("get_hello.rs".to_owned(), text)]).unwrap();
        let row = "| [`get_hello.rs`](get_hello.rs) | An endpoint: one. |\n";
        assert!(index.contains(row) && !index.contains("old"), "{index}");
        assert!(index.starts_with("# Examples\n") && index.ends_with("More.\n"), "{index}");
        let silent = [("get_hello.rs".to_owned(), "fn main() {}".to_owned())];
        let error = with_index(&document, &silent).unwrap_err().to_string();
        assert!(error.contains("get_hello.rs begins without a sentence"), "{error}");
    }
}
