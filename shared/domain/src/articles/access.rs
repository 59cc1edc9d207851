//! Who may do what to which article: one table, without a default.
//!
//! `ARCHITECTURE.md` shows it, and the tests walk every cell of it over HTTP.

use lifecycle::{Identity, Refusal, Rejection, Verdict};

use super::{Article, ArticleDraft, ArticleStatus, Writers};
use crate::people::{Role, SignedIn, UserId};
use crate::refusals;
use crate::syntax::words;

/// Whether somebody may do something to an article in this state.
///
/// For [`Action::Create`] the state is the one in which the article is to be created. Whatever is
/// added to states, actions and relations has to be decided here before it compiles.
#[expect(clippy::match_same_arms, reason = "a table is read action by action")]
pub const fn answer(action: Action, state: ArticleStatus, relation: Relation) -> Answer {
    use Action::{Approve, ChangeStatus, Create, Edit, Read, ReadShared, Share};
    use Answer::{Forbidden, Hidden, Refused, Unauthenticated, Yes};
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
        // What does not exist yet cannot have been approved.
        (Create, Published, Editor | EditorWriter | EditorAuthor) => {
            Refused(refusals::APPROVALS_MISSING)
        }

        (Edit | ChangeStatus | Share, Draft, Writer) => Hidden,
        (Edit | ChangeStatus | Share, Published, Writer) => Forbidden,
        (Edit | Share, Draft | Published, Author | Editor | EditorWriter | EditorAuthor) => Yes,

        (ChangeStatus, Draft | Published, Author) => Forbidden,
        (ChangeStatus, Draft | Published, Editor | EditorWriter | EditorAuthor) => Yes,

        (Approve, Draft | Published, Writer | Author) => Forbidden,
        (Approve, Draft | Published, Editor) => Yes,
        (Approve, Draft | Published, EditorWriter | EditorAuthor) => Refused(refusals::OWN_ARTICLE),
    }
}

impl Article {
    /// Whether a caller may do something to it as it is.
    pub fn answer(&self, caller: Option<&SignedIn>, action: Action) -> Answer {
        answer(action, self.status, Relation::of(caller, self.author_id, &self.writers))
    }
}

impl ArticleDraft {
    /// Whether a caller, who would be its author, may create it.
    pub fn answer(&self, caller: &SignedIn) -> Answer {
        let relation = Relation::of(Some(caller), caller.user_id, &Writers::default());
        answer(Action::Create, self.status(), relation)
    }
}

words! {
    /// What somebody is to an article.
    Relation {
        /// Somebody who is not signed in.
        Nobody = "not signed in",
        /// Somebody who is neither writer nor editor, whatever else they are; also to what they
        /// wrote as long as they were one.
        Stranger = "any other role",
        /// A writer who did not write it.
        Writer = "WRITER",
        /// The writer who wrote it.
        Author = "WRITER, its author",
        /// An editor who wrote none of its words.
        Editor = "EDITOR",
        /// An editor who wrote some of its words, and is not its author.
        EditorWriter = "EDITOR, wrote some words",
        /// The editor who wrote it.
        EditorAuthor = "EDITOR, its author",
    }
}

impl Relation {
    /// The relation of a caller to an article of this author, whose present words these people
    /// wrote. A caller who is writer and editor counts as editor.
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

words! {
    /// What can be done to an article.
    Action {
        /// It comes to be.
        Create = "create",
        /// It is looked at.
        Read = "read",
        /// It is looked at by somebody with a token of its share link.
        ReadShared = "read with a share token",
        /// Its title or content is changed.
        Edit = "edit",
        /// It is published, or made a draft again.
        ChangeStatus = "change the status",
        /// It is found fit to be published.
        Approve = "approve",
        /// A link to it is handed out.
        Share = "share",
    }
}

/// Whether somebody may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// As far as it depends on who they are.
    Yes,
    /// Not before they have signed in: 401.
    Unauthenticated,
    /// They may not: 403.
    Forbidden,
    /// They may not even know that it is there: 404.
    Hidden,
    /// They might, but a rule is against it whatever the article is like.
    Refused(Refusal),
}

impl Answer {
    /// What stage 3 makes of it. That nobody is signed in, it has seen before.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Yes | Self::Refused(_) => Verdict::Allow,
            Self::Unauthenticated | Self::Forbidden => Verdict::Forbid,
            Self::Hidden => Verdict::Hide,
        }
    }

    /// What stage 7 makes of it, for those whom stage 3 has let through.
    ///
    /// # Errors
    ///
    /// The rule that says no.
    pub fn ruling(self) -> Result<(), Rejection> {
        match self {
            Self::Refused(refusal) => Err(refusal.into()),
            Self::Yes | Self::Unauthenticated | Self::Forbidden | Self::Hidden => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
