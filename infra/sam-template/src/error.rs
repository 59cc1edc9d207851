//! The reasons why a template cannot be used.

use std::collections::BTreeSet;

/// The reason why a template cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not a YAML document.
    #[error("the template is not a YAML document: {reason}")]
    Syntax {
        /// The parser's message, with line and column.
        reason: String,
    },
    /// The template contains something that the platform does not support.
    #[error("{}the local platform does not support the template at {path}: {what}", prefix(*line))]
    NotUnderstood {
        /// The place, as a JSON Pointer.
        path: String,
        /// The line of the place, or of the nearest part around it that the file has.
        line: Option<usize>,
        /// The unsupported part.
        what: String,
    },
    /// Several errors, in the order of the template's resources.
    #[error("{}", one_per_line(.0))]
    Several(Vec<TemplateError>),
}

impl TemplateError {
    /// The template contains an unsupported part at a JSON Pointer.
    pub(super) fn not_understood(path: &str, what: &str) -> Self {
        Self::NotUnderstood { path: path.to_owned(), line: None, what: what.to_owned() }
    }

    /// The template contains an unsupported part at a place below the properties of a resource.
    pub(super) fn in_resource(id: &str, place: &str, what: &str) -> Self {
        Self::not_understood(&format!("/Resources/{id}/Properties/{place}"), what)
    }

    /// All errors as one, each once; `None` without an error. A condition with an error gives the
    /// same one for each resource that depends on it.
    pub(super) fn of(errors: Vec<Self>) -> Option<Self> {
        let mut all = Vec::with_capacity(errors.len());
        for error in errors {
            match error {
                Self::Several(several) => all.extend(several),
                one => all.push(one),
            }
        }
        let mut seen = BTreeSet::new();
        all.retain(|error| seen.insert(error.to_string()));
        if all.len() > 1 { Some(Self::Several(all)) } else { all.pop() }
    }
}

fn prefix(line: Option<usize>) -> String {
    line.map(|line| format!("line {line}: ")).unwrap_or_default()
}

fn one_per_line(errors: &[TemplateError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
