//! Who may do what to which article: one table, without a default.
//!
//! `ARCHITECTURE.md` shows it, and the tests walk every cell of it over HTTP.

use lifecycle::{Identity, Rejection, Verdict};

use super::ArticleStatus;
use crate::Refusal;
use crate::people::{Role, SignedIn, UserId};
use crate::syntax::words;

/// Whether somebody may do something to an article in this state.
///
/// For [`Action::Create`] the state is the one in which the article is to be created. Whatever is
/// added to states, actions and relations has to be decided here before it compiles.
pub const fn answer(relation: Relation, state: ArticleStatus, action: Action) -> Answer {
    use Action::{Approve, ChangeStatus, Create, Edit, Read, ReadShared, Share};
    use ArticleStatus::{Draft, Published};
    use Relation::{Author, Editor, EditorAuthor, Nobody, Stranger, Writer};
    match (action, state, relation) {
        (Read, Draft, Nobody | Stranger | Writer) => Answer::Hidden,
        (Read, Draft, Author | Editor | EditorAuthor) => Answer::Yes,
        (
            Read | ReadShared,
            Published,
            Nobody | Stranger | Writer | Author | Editor | EditorAuthor,
        )
        | (ReadShared, Draft, Nobody | Stranger | Writer | Author | Editor | EditorAuthor) => {
            Answer::Yes
        }

        (Create | Edit | ChangeStatus | Approve | Share, Draft | Published, Nobody) => {
            Answer::Unauthenticated
        }
        (Create | Edit | ChangeStatus | Approve | Share, Draft | Published, Stranger) => {
            Answer::Forbidden
        }

        (Create, Draft, Writer | Author | Editor | EditorAuthor) => Answer::Yes,
        (Create, Published, Writer | Author) => Answer::Forbidden,
        // What does not exist yet cannot have been approved.
        (Create, Published, Editor | EditorAuthor) => Answer::Refused(Refusal::ApprovalsMissing),

        (Edit | ChangeStatus | Share, Draft, Writer) => Answer::Hidden,
        (Edit | ChangeStatus | Share, Published, Writer) => Answer::Forbidden,
        (Edit | Share, Draft | Published, Author | Editor | EditorAuthor) => Answer::Yes,

        (ChangeStatus, Draft | Published, Author) => Answer::Forbidden,
        (ChangeStatus, Draft | Published, Editor | EditorAuthor) => Answer::Yes,

        (Approve, Draft | Published, Writer | Author) => Answer::Forbidden,
        (Approve, Draft | Published, Editor) => Answer::Yes,
        (Approve, Draft | Published, EditorAuthor) => Answer::Refused(Refusal::OwnArticle),
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
        /// An editor who did not write it.
        Editor = "EDITOR",
        /// The editor who wrote it.
        EditorAuthor = "EDITOR, its author",
    }
}

impl Relation {
    /// What a caller is to an article of this author. Who is writer and editor counts as editor.
    pub fn of(caller: Option<&SignedIn>, author_id: UserId) -> Self {
        let Some(caller) = caller else { return Self::Nobody };
        let wrote = caller.user_id == author_id;
        match (caller.has(Role::Editor), caller.has(Role::Writer)) {
            (true, _) if wrote => Self::EditorAuthor,
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
