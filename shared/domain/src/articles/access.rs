//! The access table of articles: which caller may do which action. It has no default.
//!
//! `ARCHITECTURE.md` shows it, and the tests walk every cell of it over HTTP.

use lifecycle::newtypes::wire_enum;
use lifecycle::{DomainError, ErrorCode, Identity, Verdict};

use super::{Article, ArticleDraft, ArticleStatus, Writers};
use crate::error_codes;
use crate::people::{Role, SignedIn, UserId};

/// Whether a caller with this relation may do this action to an article in this state.
///
/// For [`ArticleAction::Create`] the state is that of the new article. A new state, action or relation
/// does not compile before this table decides it.
#[expect(clippy::match_same_arms, reason = "a table is read action by action")]
pub const fn answer(
    action: ArticleAction,
    state: ArticleStatus,
    relation: Relation,
) -> AccessDecision {
    use AccessDecision::{Forbidden, Hidden, Refused, Unauthenticated, Yes};
    use ArticleAction::{Approve, ChangeStatus, Create, Edit, Read, ReadShared, Share};
    use ArticleStatus::{Draft, Published};
    use Relation::{Author, Editor, EditorAuthor, EditorWriter, Nobody, Stranger, Writer};
    match (action, state, relation) {
        (Read, Draft, Nobody | Stranger | Writer) => Hidden,
        (Read, Draft, Author | Editor | EditorWriter | EditorAuthor) => Yes,
        (
            Read,
            Published,
            Nobody | Stranger | Writer | Author | Editor | EditorWriter | EditorAuthor,
        ) => Yes,
        (
            ReadShared,
            Draft | Published,
            Nobody | Stranger | Writer | Author | Editor | EditorWriter | EditorAuthor,
        ) => Yes,

        (Create | Edit | ChangeStatus | Approve | Share, Draft | Published, Nobody) => {
            Unauthenticated
        }
        (Create | Edit | ChangeStatus | Approve | Share, Draft | Published, Stranger) => Forbidden,

        (Create, Draft, Writer | Author | Editor | EditorWriter | EditorAuthor) => Yes,
        (Create, Published, Writer | Author) => Forbidden,
        // A new article cannot have approvals.
        (Create, Published, Editor | EditorWriter | EditorAuthor) => {
            Refused(error_codes::APPROVALS_MISSING)
        }

        (Edit | ChangeStatus | Share, Draft, Writer) => Hidden,
        (Edit | ChangeStatus | Share, Published, Writer) => Forbidden,
        (Edit | Share, Draft | Published, Author | Editor | EditorWriter | EditorAuthor) => Yes,

        (ChangeStatus, Draft | Published, Author) => Forbidden,
        (ChangeStatus, Draft | Published, Editor | EditorWriter | EditorAuthor) => Yes,

        (Approve, Draft | Published, Writer | Author) => Forbidden,
        (Approve, Draft | Published, Editor) => Yes,
        (Approve, Draft | Published, EditorWriter | EditorAuthor) => {
            Refused(error_codes::OWN_ARTICLE)
        }
    }
}

impl Article {
    /// Whether a caller may do this to the article in its present state.
    pub fn answer(&self, caller: Option<&SignedIn>, action: ArticleAction) -> AccessDecision {
        answer(action, self.status, Relation::of(caller, self.author_id, &self.writers))
    }
}

impl ArticleDraft {
    /// Whether a caller may create it, and so become its author.
    pub fn answer(&self, caller: &SignedIn) -> AccessDecision {
        let relation = Relation::of(Some(caller), caller.user_id, &Writers::default());
        answer(ArticleAction::Create, self.status(), relation)
    }
}

wire_enum! {
    /// The relation of a caller to an article.
    Relation {
        /// A caller who is not signed in.
        Nobody = "not signed in",
        /// A caller who is neither writer nor editor, even if they wrote the article when they
        /// were.
        Stranger = "any other role",
        /// A writer who is not its author.
        Writer = "WRITER",
        /// The writer who is its author.
        Author = "WRITER, its author",
        /// An editor who wrote none of its words.
        Editor = "EDITOR",
        /// An editor who wrote some of its words, and is not its author.
        EditorWriter = "EDITOR, wrote some words",
        /// The editor who is its author.
        EditorAuthor = "EDITOR, its author",
    }
}

impl Relation {
    /// The relation of a caller to an article with this author and these writers. A caller who is
    /// both writer and editor counts as editor.
    pub fn of(caller: Option<&SignedIn>, author_id: UserId, writers: &Writers) -> Self {
        let Some(caller) = caller else { return Self::Nobody };
        let wrote = caller.user_id == author_id;
        match (caller.has(Role::Editor), caller.has(Role::Writer)) {
            (true, _) if wrote => Self::EditorAuthor,
            (true, _) if writers.include(caller.user_id) => Self::EditorWriter,
            (true, _) => Self::Editor,
            (false, true) if wrote => Self::Author,
            (false, true) => Self::Writer,
            (false, false) => Self::Stranger,
        }
    }
}

wire_enum! {
    /// An action on an article.
    ArticleAction {
        /// It is created.
        Create = "create",
        /// It is read.
        Read = "read",
        /// It is read with a token of its share link.
        ReadShared = "read with a share token",
        /// Its title or content is changed.
        Edit = "edit",
        /// It is published, or made a draft again.
        ChangeStatus = "change the status",
        /// It is approved for publication.
        Approve = "approve",
        /// A share link to it is created.
        Share = "share",
    }
}

/// The decision on an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessDecision {
    /// Allowed, as far as it depends on the caller.
    Yes,
    /// Not allowed without signing in: 401.
    Unauthenticated,
    /// Not allowed: 403.
    Forbidden,
    /// Not allowed, and the article is hidden: 404.
    Hidden,
    /// Allowed for the caller, but a business rule refuses it in any case.
    Refused(ErrorCode),
}

impl AccessDecision {
    /// The verdict of stage 3b. Stage 3 has refused callers who are not signed in before.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Yes | Self::Refused(_) => Verdict::Allow,
            Self::Unauthenticated | Self::Forbidden => Verdict::Forbid,
            Self::Hidden => Verdict::Hide,
        }
    }

    /// The ruling of stage 7, for callers that stage 3b has admitted.
    ///
    /// # Errors
    ///
    /// The refusal by a business rule.
    pub fn ruling(self) -> Result<(), DomainError> {
        match self {
            Self::Refused(refusal) => Err(refusal.into()),
            Self::Yes | Self::Unauthenticated | Self::Forbidden | Self::Hidden => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
