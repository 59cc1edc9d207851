//! The supported alternatives for a body.

use http::{HeaderName, header};

/// The supported alternatives for a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyOffer {
    /// JSON.
    Json,
    /// JSON or a merge patch.
    MergePatch,
    /// An HTML form.
    Form,
    /// No content coding.
    Identity,
}

impl BodyOffer {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Json => "The body must be application/json, in UTF-8.",
            Self::MergePatch => {
                "The body must be application/json or application/merge-patch+json, in UTF-8."
            }
            Self::Form => "The body must be application/x-www-form-urlencoded, in UTF-8.",
            Self::Identity => "The body must have no content coding.",
        }
    }

    /// The header with the alternatives (RFC 9110, 15.5.16; RFC 5789, 3.1).
    pub(crate) const fn header(self) -> (HeaderName, &'static str) {
        match self {
            Self::Json => (header::ACCEPT, "application/json"),
            Self::MergePatch => (
                HeaderName::from_static("accept-patch"),
                "application/json, application/merge-patch+json",
            ),
            Self::Form => (header::ACCEPT, "application/x-www-form-urlencoded"),
            Self::Identity => (header::ACCEPT_ENCODING, "identity"),
        }
    }
}
