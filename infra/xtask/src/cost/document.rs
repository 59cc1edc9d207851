//! `infra/docs/COST.md`: written text, with generated parts between markers.

use std::path::Path;

use serde_json::Value;
use tooling::Error;
use tooling::context::Context;

use super::tables::Tables;

/// The path of the document.
pub(super) const DOCUMENT: &str = "infra/docs/COST.md";

/// Ends a generated part.
const END: &str = "<!-- end -->";

/// The methods of operations in the order of the document.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The document.
pub(super) struct Document(String);

impl Document {
    pub(super) fn read(workspace: &Path) -> Result<Self, Error> {
        Ok(Self(fs_err::read_to_string(workspace.join(DOCUMENT))?))
    }

    /// The text with these generated parts.
    ///
    /// # Errors
    /// If a part has no place, or a place has no part.
    pub(super) fn with(&self, tables: &Tables) -> Result<String, Error> {
        let mut text = self.0.clone();
        for (name, table) in tables {
            let (before, _, after) = parts(&text, name)?;
            text = format!("{before}{table}{after}");
        }
        let places = text.matches(&marker("")[..BEGIN]).count();
        if places == tables.len() {
            return Ok(text);
        }
        Err(format!("{DOCUMENT} has {places} places for {} parts", tables.len()).into())
    }

    /// The parts in which the text differs from these, one sentence each.
    ///
    /// # Errors
    /// As [`Document::with`].
    pub(super) fn differences(&self, tables: &Tables) -> Result<Vec<String>, Error> {
        self.with(tables)?;
        let mut differences = Vec::new();
        for (name, table) in tables {
            let (_, written, _) = parts(&self.0, name)?;
            if written != *table {
                let line = table.lines().zip(written.lines()).find(|(now, then)| now != then);
                let (now, then) = line.unwrap_or(("another number of lines", ""));
                differences.push(format!(
                    "{DOCUMENT}, {name}: {now:?} follows from counts, prices and templates, and {then:?} is written: run cargo xtask cost --no-measure"
                ));
            }
        }
        Ok(differences)
    }
}

/// The length of the common beginning of all markers.
const BEGIN: usize = "<!-- generated: ".len();

fn marker(name: &str) -> String {
    format!("<!-- generated: {name} -->")
}

/// The text before a generated part, the part, and the text after it.
fn parts<'a>(text: &'a str, name: &str) -> Result<(&'a str, &'a str, &'a str), Error> {
    let missing = || format!("{DOCUMENT} has no place for {name}");
    let marker = marker(name);
    let begin = text.find(&marker).ok_or_else(missing)? + marker.len();
    let end = begin + text[begin..].find(END).ok_or_else(missing)?;
    Ok((&text[..begin], &text[begin..end], &text[end..]))
}

/// The routes of the API's description, in its order: `GET /users/{userId}`. `HEAD` costs the same
/// as its `GET`.
///
/// # Errors
/// If there is no description.
pub(super) fn routes(workspace: &Path) -> Result<Vec<String>, Error> {
    let path = workspace.join("infra/openapi.json");
    let description: Value =
        serde_json::from_slice(&fs_err::read(&path)?).context(|| path.display())?;
    let paths = description["paths"].as_object().into_iter().flatten();
    let routes = paths.flat_map(|(path, operations)| {
        let has = move |method: &&str| operations[*method].is_object();
        let methods = METHODS.into_iter().filter(has);
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    Ok(routes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(parts: &[(&'static str, &str)]) -> Tables {
        parts.iter().map(|(name, text)| (*name, (*text).to_owned())).collect()
    }

    #[test]
    fn text_between_markers_is_replaced_and_the_rest_is_kept() {
        let text =
            "one <!-- generated: a -->1<!-- end --> two\n<!-- generated: b -->\n<!-- end -->";
        let document = Document(text.to_owned());
        let written = document.with(&tables(&[("a", "2"), ("b", "\n| x |\n")])).unwrap();
        let expected = "one <!-- generated: a -->2<!-- end --> two\n<!-- generated: b -->\n| x |\n<!-- end -->";
        assert_eq!(written, expected);
        let same = tables(&[("a", "1"), ("b", "\n")]);
        assert_eq!(document.differences(&same).unwrap(), [""; 0]);
        let other = document.differences(&tables(&[("a", "2"), ("b", "\n")])).unwrap();
        assert!(other.len() == 1 && other[0].contains("\"2\"") && other[0].contains("\"1\""));
    }

    #[test]
    fn a_part_without_a_place_and_a_place_without_a_part_are_errors() {
        let document = Document("<!-- generated: a --><!-- end -->".to_owned());
        assert!(document.with(&tables(&[("b", "")])).is_err());
        assert!(document.with(&tables(&[])).is_err());
    }
}
