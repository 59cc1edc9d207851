//! The reasons why a template cannot be used.

/// The reason why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
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
    #[error("the local platform does not support the template at {path}: {what}")]
    NotUnderstood {
        /// The place, as a JSON Pointer.
        path: String,
        /// The unsupported part.
        what: String,
    },
}

impl TemplateError {
    /// The template contains an unsupported part at a JSON Pointer.
    pub(super) fn not_understood(path: &str, what: &str) -> Self {
        Self::NotUnderstood { path: path.to_owned(), what: what.to_owned() }
    }

    /// The template contains an unsupported part at a place below the properties of a resource.
    pub(super) fn in_resource(id: &str, place: &str, what: &str) -> Self {
        Self::not_understood(&format!("/Resources/{id}/Properties/{place}"), what)
    }
}
