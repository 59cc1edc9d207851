//! The model of an article: the effects of a change, an approval and a read.

use std::collections::BTreeSet;

use super::checker::Model;

/// The model of an article.
#[derive(Debug, Clone, Copy)]
pub struct ArticleModel;

/// The state of an article.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Taken {
    /// The title.
    pub title: String,
    /// The text.
    pub content: String,
    /// Whether it is published.
    pub published: bool,
    /// The editors who approved it.
    pub approvals: BTreeSet<String>,
    /// The version.
    pub version: u64,
}

/// A part of an answer that shows the article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The title.
    pub title: String,
    /// The text.
    pub content: String,
    /// Whether it is published.
    pub published: bool,
    /// The number of approvals.
    pub approvals: usize,
    /// The version.
    pub version: u64,
}

/// An operation with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A read.
    Read(Shown),
    /// A change of some fields. Without an answer if it is unknown.
    Patch {
        /// The new title.
        title: Option<String>,
        /// The new text.
        content: Option<String>,
        /// Whether it shall be published.
        published: Option<bool>,
        /// The answer.
        shown: Option<Shown>,
    },
    /// An approval by this editor.
    Approve(String),
    /// A link to it, which is a new version.
    Share,
}

impl Model for ArticleModel {
    type State = Taken;
    type Operation = Step;

    fn apply(state: &Taken, step: &Step) -> Option<Taken> {
        match step {
            Step::Read(shown) => state.is_shown(shown).then(|| state.clone()),
            Step::Patch { title, content, published, shown } => {
                let after = state.patched(title.as_ref(), content.as_ref(), *published);
                shown.as_ref().is_none_or(|shown| after.is_shown(shown)).then_some(after)
            }
            Step::Approve(editor) if state.approvals.contains(editor) => Some(state.clone()),
            Step::Approve(editor) => {
                let mut after = state.next();
                after.approvals.insert(editor.clone());
                Some(after)
            }
            Step::Share => Some(state.next()),
        }
    }
}

impl Taken {
    fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }

    fn patched(
        &self,
        title: Option<&String>,
        content: Option<&String>,
        published: Option<bool>,
    ) -> Self {
        let mut after = self.next();
        after.title.clone_from(title.unwrap_or(&self.title));
        after.content.clone_from(content.unwrap_or(&self.content));
        let is_rewritten = after.title != self.title || after.content != self.content;
        if is_rewritten {
            after.approvals.clear();
        }
        after.published = published.unwrap_or(self.published && !is_rewritten);
        after
    }

    fn is_shown(&self, shown: &Shown) -> bool {
        let Shown { title, content, published, approvals, version } = shown;
        (&self.title, &self.content) == (title, content)
            && self.published == *published
            && self.approvals.len() == *approvals
            && self.version == *version
    }
}

#[cfg(test)]
mod tests {
    use super::super::checker::{Call, Verdict, check};
    use super::*;

    fn article() -> Taken {
        Taken {
            title: "Old".to_owned(),
            content: "Text".to_owned(),
            published: false,
            approvals: BTreeSet::new(),
            version: 1,
        }
    }

    fn shown(title: &str, approvals: usize, version: u64) -> Shown {
        let (title, content) = (title.to_owned(), "Text".to_owned());
        Shown { title, content, published: false, approvals, version }
    }

    fn titled(title: &str, shown: Option<Shown>) -> Step {
        Step::Patch { title: Some(title.to_owned()), content: None, published: None, shown }
    }

    #[test]
    fn a_lost_update_is_not_linearizable() {
        let call = |operation, begin, end| Call { operation, begin, end: Some(end) };
        let kept = [
            call(titled("One", Some(shown("One", 0, 2))), 0, 10),
            call(titled("Two", Some(shown("Two", 0, 3))), 1, 9),
        ];
        assert!(matches!(check::<ArticleModel>(article(), &kept, 1_000), Verdict::Linearizable(_)));
        let lost = [
            call(titled("One", Some(shown("One", 0, 2))), 0, 10),
            call(titled("Two", Some(shown("Two", 0, 2))), 1, 9),
        ];
        assert_eq!(check::<ArticleModel>(article(), &lost, 1_000), Verdict::NotLinearizable);
    }

    #[test]
    fn an_approval_survives_only_changes_that_keep_the_words() {
        let approved = ArticleModel::apply(&article(), &Step::Approve("e".to_owned())).unwrap();
        let again = ArticleModel::apply(&approved, &Step::Approve("e".to_owned())).unwrap();
        assert_eq!((approved.version, &again), (2, &approved));
        let same = ArticleModel::apply(&approved, &titled("Old", None)).unwrap();
        assert_eq!((same.version, same.approvals.len()), (3, 1));
        let other = ArticleModel::apply(&approved, &titled("New", Some(shown("New", 0, 3))));
        assert!(other.unwrap().approvals.is_empty());
    }
}
