//! Stage 2: the kinds of callers.

use super::claims::Claims;
use crate::Timestamp;
use crate::error::RequestError;

/// The tolerated difference between the clocks of token issuers and verifiers. The authorizer's
/// verifier uses it too, so that both agree about a token's last minute.
pub const LEEWAY_S: i64 = 60;

/// A kind of caller: [`Anyone`], an [`Identity`], or `Option` of an identity.
#[diagnostic::on_unimplemented(
    message = "stage 2: `{Self}` is not a kind of caller",
    label = "expected a kind of caller",
    note = "use `Anyone`, a type that implements `Identity`, or an `Option` of such a type"
)]
pub trait Caller: Clone + Send + Sync + 'static {
    /// The roles that [`Access::OneOf`](super::Access::OneOf) can name for this kind of caller.
    type Role: Copy + Send + Sync + std::fmt::Debug + 'static;
    /// Whether a token is required, optional, or ignored.
    const SIGN_IN: SignIn;
    /// The authorizer whose claims this kind of caller is read from.
    const AUTHORIZER: Authorizer = Authorizer::Lambda;

    /// Returns the caller from verified claims, or from none.
    ///
    /// # Errors
    ///
    /// [`RequestError::Unauthenticated`] when this kind of caller needs claims and there are none,
    /// or when the claims are invalid or have expired.
    fn identify(claims: Option<&Claims>, now: Timestamp) -> Result<Self, RequestError>;

    /// The id for rate limits and idempotency; `None` counts by source address.
    fn subject(&self) -> Option<String>;

    /// Whether the caller has the role.
    fn has(&self, role: Self::Role) -> bool;
}

/// An authorizer in front of the function.
///
/// Each kind of caller names the one that it trusts. The claims of others are ignored, because the
/// same name may mean something else there: a request is then treated as one without a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authorizer {
    /// A Lambda authorizer, such as [`runtime::authorizer`](fn@crate::runtime::authorizer). The
    /// claims are the context that it returns.
    Lambda,
    /// API Gateway itself: the JWT authorizer of an HTTP API, or the Cognito authorizer of a REST
    /// API. The claims are those of the token. Their values are texts, of numbers and lists too:
    /// [`claims`](crate::claims) has functions that read them. The scopes are in the claim `scope`.
    Jwt,
    /// API Gateway or a function URL, by a signature of AWS (`AWS_IAM`). The only claim is `iam`:
    /// an object with the texts `userArn`, `accountId`, `userId`, `callerId` and `accessKey`.
    Iam,
}

/// Whether a caller has to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignIn {
    /// Tokens are ignored.
    None,
    /// A token is verified if there is one.
    Optional,
    /// A request without a valid token is refused.
    Required,
}

/// A signed-in caller. Implemented by the application, which defines the roles.
///
/// ```
/// use lifecycle::claims::{date_passed_on, names_passed_on};
/// use lifecycle::{Authorizer, Claims, Identity, Timestamp};
///
/// /// A member of a user pool, by API Gateway's own JWT authorizer.
/// #[derive(Clone)]
/// struct Member {
///     id: String,
///     groups: Vec<String>,
///     expires_at: Timestamp,
/// }
///
/// #[derive(Clone, Copy, Debug)]
/// enum Role {
///     Librarian,
/// }
///
/// impl Identity for Member {
///     type Role = Role;
///     const AUTHORIZER: Authorizer = Authorizer::Jwt;
///
///     fn from_claims(claims: &Claims) -> Option<Self> {
///         Some(Self {
///             id: claims.get("sub")?.as_str()?.to_owned(),
///             groups: names_passed_on(claims.get("cognito:groups"))?,
///             expires_at: date_passed_on(claims.get("exp")?)?,
///         })
///     }
///
///     fn expires_at(&self) -> Timestamp {
///         self.expires_at
///     }
///
///     fn subject(&self) -> String {
///         self.id.clone()
///     }
///
///     fn has(&self, role: Role) -> bool {
///         match role {
///             Role::Librarian => self.groups.iter().any(|group| group == "librarians"),
///         }
///     }
/// }
/// ```
pub trait Identity: Clone + Send + Sync + 'static {
    /// The application's roles.
    type Role: Copy + Send + Sync + std::fmt::Debug + 'static;

    /// The authorizer whose claims are read.
    const AUTHORIZER: Authorizer = Authorizer::Lambda;

    /// Reads verified claims; `None` when they do not have the form that the authorizer produces.
    fn from_claims(claims: &Claims) -> Option<Self>;

    /// When the token expires. It is checked on every request, because API Gateway may cache an
    /// authorizer's finding beyond that time.
    fn expires_at(&self) -> Timestamp;

    /// A stable id.
    fn subject(&self) -> String;

    /// Whether the caller has the role.
    fn has(&self, role: Self::Role) -> bool;
}

/// A caller who need not sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Anyone;

/// The role of [`Anyone`]: it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRole {}

impl Caller for Anyone {
    type Role = NoRole;
    const SIGN_IN: SignIn = SignIn::None;

    fn identify(_: Option<&Claims>, _: Timestamp) -> Result<Self, RequestError> {
        Ok(Self)
    }

    fn subject(&self) -> Option<String> {
        None
    }

    fn has(&self, role: NoRole) -> bool {
        match role {}
    }
}

#[diagnostic::do_not_recommend]
impl<I: Identity> Caller for I {
    type Role = I::Role;
    const SIGN_IN: SignIn = SignIn::Required;
    const AUTHORIZER: Authorizer = I::AUTHORIZER;

    fn identify(claims: Option<&Claims>, now: Timestamp) -> Result<Self, RequestError> {
        claims
            .and_then(I::from_claims)
            .filter(|identity| now < identity.expires_at().plus_seconds(LEEWAY_S))
            .ok_or(RequestError::Unauthenticated)
    }

    fn subject(&self) -> Option<String> {
        Some(Identity::subject(self))
    }

    fn has(&self, role: I::Role) -> bool {
        Identity::has(self, role)
    }
}

#[diagnostic::do_not_recommend]
impl<I: Identity> Caller for Option<I> {
    type Role = I::Role;
    const SIGN_IN: SignIn = SignIn::Optional;
    const AUTHORIZER: Authorizer = I::AUTHORIZER;

    fn identify(claims: Option<&Claims>, now: Timestamp) -> Result<Self, RequestError> {
        claims.map(|claims| I::identify(Some(claims), now)).transpose()
    }

    fn subject(&self) -> Option<String> {
        self.as_ref().map(Identity::subject)
    }

    fn has(&self, role: I::Role) -> bool {
        self.as_ref().is_some_and(|identity| Identity::has(identity, role))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Member {
        id: String,
        expires_at: Timestamp,
    }

    impl Identity for Member {
        type Role = char;

        fn from_claims(claims: &Claims) -> Option<Self> {
            let id = claims.get("sub")?.as_str()?.to_owned();
            Some(Self { id, expires_at: Timestamp::from_millis(60_000) })
        }

        fn expires_at(&self) -> Timestamp {
            self.expires_at
        }

        fn subject(&self) -> String {
            self.id.clone()
        }

        fn has(&self, role: char) -> bool {
            self.id.starts_with(role)
        }
    }

    #[test]
    fn an_identity_is_valid_until_its_expiry_and_the_leeway() {
        let claims: Claims = serde_json::from_value(json!({ "sub": "ada" })).unwrap();
        let last_ms = 60_000 + LEEWAY_S * 1000 - 1;
        for (now_ms, is_valid) in [(0, true), (last_ms, true), (last_ms + 1, false)] {
            let now = Timestamp::from_millis(now_ms);
            assert_eq!(Member::identify(Some(&claims), now).is_ok(), is_valid, "{now_ms}");
            let optional = <Option<Member> as Caller>::identify(Some(&claims), now);
            assert_eq!(optional.is_ok(), is_valid, "{now_ms}");
        }
        let now = Timestamp::from_millis(0);
        assert!(Member::identify(None, now).is_err());
        assert_eq!(<Option<Member> as Caller>::identify(None, now).unwrap(), None);
    }

    #[test]
    fn a_caller_who_has_not_signed_in_has_no_subject_and_no_role() {
        assert_eq!(Anyone.subject(), None);
        let claims: Claims = serde_json::from_value(json!({ "sub": "ada" })).unwrap();
        let ada = Member::from_claims(&claims);
        for (caller, subject, has_role) in [(ada, Some("ada"), true), (None, None, false)] {
            assert_eq!(Caller::subject(&caller).as_deref(), subject);
            assert_eq!(Caller::has(&caller, 'a'), has_role);
            assert!(!Caller::has(&caller, 'b'));
        }
    }
}
