//! Titles and contents of articles.

use lifecycle::newtypes::{single_line, text};

/// The title and the content of an article.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    pub(super) title: &'a Title,
    pub(super) content: &'a Content,
}

single_line! {
    /// The title of an article.
    Title: 5..=40
}

text! {
    /// The text of an article.
    Content: 1..=20_000
}
