//! Stage 3: who may call an endpoint, before and after the facts are known.

use super::identity::{Caller, NoRole};
use crate::error::RequestError;

/// Who may call the endpoint, as far as this is known before retrieval.
///
/// There is no default: an endpoint without it does not compile.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Access<R: 'static = NoRole> {
    /// All callers. One whose kind has to sign in still has to.
    Public,
    /// All callers who are signed in.
    SignedIn,
    /// Callers with at least one of these roles.
    OneOf(&'static [R]),
}

impl<R: Copy + std::fmt::Debug> Access<R> {
    pub(crate) fn admits<C: Caller<Role = R>>(self, caller: &C) -> Result<(), RequestError> {
        let signed_in = caller.subject().is_some();
        match self {
            Self::Public => Ok(()),
            Self::SignedIn if signed_in => Ok(()),
            Self::OneOf(roles) if roles.iter().any(|role| caller.has(*role)) => Ok(()),
            Self::OneOf(_) if signed_in => Err(RequestError::Forbidden),
            Self::SignedIn | Self::OneOf(_) => Err(RequestError::Unauthenticated),
        }
    }

    /// The roles by name, for the endpoint's description.
    pub(crate) fn describe(self) -> serde_json::Value {
        match self {
            Self::Public => "public".into(),
            Self::SignedIn => "signedIn".into(),
            Self::OneOf(roles) => {
                let names: Vec<String> = roles.iter().map(|role| format!("{role:?}")).collect();
                serde_json::json!({ "oneOf": names })
            }
        }
    }
}

/// The authorization decision once the facts are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The caller may continue.
    Allow,
    /// Refused; the caller may know that the resource exists: 403.
    Forbid,
    /// Refused; the caller may not know whether the resource exists: 404.
    Hide,
}

impl Verdict {
    pub(crate) fn enforce(self) -> Result<(), RequestError> {
        match self {
            Self::Allow => Ok(()),
            Self::Forbid => Err(RequestError::Forbidden),
            Self::Hide => Err(RequestError::Hidden),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::caller::Claims;
    use crate::{Identity, Timestamp};

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Role {
        Author,
        Editor,
    }

    #[derive(Clone)]
    struct Member(Role);

    impl Identity for Member {
        type Role = Role;

        fn from_claims(_: &Claims) -> Option<Self> {
            None
        }

        fn expires_at(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }

        fn subject(&self) -> String {
            "ada".to_owned()
        }

        fn has(&self, role: Role) -> bool {
            self.0 == role
        }
    }

    #[test]
    fn each_access_admits_its_callers_only() {
        const EDITORS: Access<Role> = Access::OneOf(&[Role::Editor]);
        const BOTH: Access<Role> = Access::OneOf(&[Role::Author, Role::Editor]);
        let (author, editor) = (Some(Member(Role::Author)), Some(Member(Role::Editor)));
        for (access, caller, status) in [
            (Access::Public, &None, None),
            (Access::Public, &author, None),
            (Access::SignedIn, &None, Some(401)),
            (Access::SignedIn, &author, None),
            (EDITORS, &None, Some(401)),
            (EDITORS, &author, Some(403)),
            (EDITORS, &editor, None),
            (BOTH, &author, None),
            (Access::OneOf(&[]), &editor, Some(403)),
        ] {
            let refused = access.admits(caller).err().map(|error| match error {
                RequestError::Unauthenticated => 401,
                RequestError::Forbidden => 403,
                other => panic!("{other}"),
            });
            assert_eq!(refused, status, "{access:?}");
        }
    }

    #[test]
    fn an_access_is_described_by_the_names_of_its_roles() {
        assert_eq!(Access::<Role>::Public.describe(), "public");
        assert_eq!(Access::<Role>::SignedIn.describe(), "signedIn");
        let roles = Access::OneOf(&[Role::Author, Role::Editor]).describe();
        assert_eq!(roles, json!({ "oneOf": ["Author", "Editor"] }));
    }
}
