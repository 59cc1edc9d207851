//! Stages 2 and 3: authentication and authorization of the caller.

pub use crate::claims::Claims;
use crate::error::{RequestError, ServiceError};
use crate::{Deadline, Moment, Timestamp};

/// The tolerated difference between the clocks of token issuers and verifiers. The authorizer's
/// verifier uses it too, so that both agree about a token's last minute.
pub const LEEWAY_S: i64 = 60;

/// A kind of caller: [`Anyone`], an [`Identity`], or `Option` of an identity.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of caller",
    label = "expected a kind of caller",
    note = "use `Anyone`, a type that implements `Identity`, or `Option` of such a type"
)]
pub trait Caller: Clone + Send + Sync + 'static {
    /// The roles that [`Access::OneOf`] can name for this kind of caller.
    type Role: Copy + Send + Sync + std::fmt::Debug + 'static;
    /// Whether a token is required, optional, or ignored.
    const SIGN_IN: SignIn;

    /// Returns the caller from verified claims, or from none.
    ///
    /// # Errors
    ///
    /// [`RequestError::Unauthenticated`] when this kind of caller needs claims and there are none, or
    /// when the claims are invalid or have expired.
    fn identify(claims: Option<&Claims>, now: Timestamp) -> Result<Self, RequestError>;

    /// The id for rate limits and idempotency; `None` counts by source address.
    fn subject(&self) -> Option<String>;

    /// Whether the caller has the role.
    fn has(&self, role: Self::Role) -> bool;
}

/// Whether a caller has to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn {
    /// Tokens are ignored.
    None,
    /// A token is verified if there is one.
    Optional,
    /// A request without a valid token is refused.
    Required,
}

/// A signed-in caller. Implemented by the application, which defines the roles.
pub trait Identity: Clone + Send + Sync + 'static {
    /// The application's roles.
    type Role: Copy + Send + Sync + std::fmt::Debug + 'static;

    /// Reads verified claims; `None` when they do not have the form that our authorizer produces.
    fn from_claims(claims: &Claims) -> Option<Self>;

    /// When the token expires. It is checked on every request, because API Gateway may cache an
    /// authorizer's verdict beyond that time.
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

impl<I: Identity> Caller for I {
    type Role = I::Role;
    const SIGN_IN: SignIn = SignIn::Required;

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

impl<I: Identity> Caller for Option<I> {
    type Role = I::Role;
    const SIGN_IN: SignIn = SignIn::Optional;

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

/// Who may call the endpoint, as far as this is known before retrieval.
///
/// There is no default: an endpoint without it does not compile.
#[derive(Debug, Clone, Copy)]
pub enum Access<R: 'static = NoRole> {
    /// All callers.
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
pub enum Verdict {
    /// The caller may continue.
    Allow,
    /// Refused; the caller may know that the resource exists: 403.
    Forbid,
    /// Refused; the caller may not know whether the resource exists: 404.
    Hide,
}

impl Verdict {
    /// Returns `Allow` if `allowed`, else `Hide`.
    pub fn allow_or_hide(allowed: bool) -> Self {
        if allowed { Self::Allow } else { Self::Hide }
    }

    /// Returns `Allow` if `allowed`, else `Forbid`.
    pub fn allow_or_forbid(allowed: bool) -> Self {
        if allowed { Self::Allow } else { Self::Forbid }
    }

    pub(crate) fn enforce(self) -> Result<(), RequestError> {
        match self {
            Self::Allow => Ok(()),
            Self::Forbid => Err(RequestError::Forbidden),
            Self::Hide => Err(RequestError::Hidden),
        }
    }
}

/// The permission to read data: proof that stages 2 and 3 have admitted the caller.
///
/// Retrieval functions take a permit, and only the lifecycle can make one. So reading before
/// authorization does not compile.
///
/// ```compile_fail
/// use lifecycle::{Anyone, Permit};
/// let forged = Permit { caller: Anyone };
/// ```
#[derive(Debug)]
pub struct Permit<C> {
    caller: C,
    moment: Moment,
    deadline: Deadline,
    source: String,
    prefix: String,
}

impl<C> Permit<C> {
    pub(crate) fn new(caller: C, moment: Moment, deadline: Deadline) -> Self {
        Self { caller, moment, deadline, source: String::new(), prefix: String::new() }
    }

    /// The permit of a request from this source, under this public prefix.
    pub(crate) fn of_request(self, source: String, prefix: String) -> Self {
        Self { source, prefix, ..self }
    }

    /// The admitted caller.
    pub fn caller(&self) -> &C {
        &self.caller
    }

    /// The moment of the request.
    pub fn moment(&self) -> &Moment {
        &self.moment
    }

    /// The time by which the request must be answered.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// The source address of the request as limits count it: an IPv4 address, or the /64 of an
    /// IPv6 one. Empty for a record.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The part of the request's path before this API's paths: a stage or a base path.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the public URL of a path of this API: `base`, the prefix of the request's path
    /// unless `base` ends with it, and the path.
    pub fn public_url(&self, base: &str, path: &str) -> String {
        let base = base.trim_end_matches('/');
        let prefix = if base.ends_with(&self.prefix) { "" } else { &self.prefix };
        format!("{base}{prefix}{path}")
    }
}

/// Verifies a bearer token, for the authorizer and for endpoints where signing in is optional.
#[async_trait::async_trait]
pub trait TokenVerifier: Send + Sync {
    /// Returns the claims of a valid token, in the form in which functions read them: `sub`,
    /// `roles`, `tier`, `emailVerified`, `exp`.
    ///
    /// # Errors
    ///
    /// [`TokenError::Refused`] with a reason for the log, never for the client.
    /// [`TokenError::ServiceError`] when the keys are not available: the request is a 503 and never
    /// passes.
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError>;
}

/// The reason why there are no claims.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token is invalid. The reason is a constant, so that the log never contains parts of a
    /// token, whatever its length.
    #[error("the token is refused: {0}")]
    Refused(&'static str),
    /// The token could not be verified.
    #[error("the token could not be verified")]
    ServiceError(#[source] ServiceError),
}

impl From<TokenError> for RequestError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Refused(_) => Self::Unauthenticated,
            TokenError::ServiceError(fault @ ServiceError::Unavailable { .. }) => {
                Self::ServiceError(fault)
            }
            // The keys are not available. This is not the client's error, and may be over soon.
            TokenError::ServiceError(fault) => Self::ServiceError(ServiceError::Unavailable {
                retry_after_s: 1,
                source: Box::new(fault),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_has_the_prefix_of_the_request_once() {
        for (prefix, base, expected) in [
            ("", "https://a.example", "https://a.example/notes/1"),
            ("", "https://a.example/v1/", "https://a.example/v1/notes/1"),
            ("/v1", "https://a.example", "https://a.example/v1/notes/1"),
            ("/v1", "https://a.example/v1", "https://a.example/v1/notes/1"),
        ] {
            let moment = Moment::new(Timestamp::from_millis(0), [0; 32]);
            let deadline = Deadline::after(std::time::Duration::ZERO);
            let permit = Permit::new(Anyone, moment, deadline);
            let permit = permit.of_request(String::new(), prefix.to_owned());
            assert_eq!(permit.public_url(base, "/notes/1"), expected);
        }
    }
}
