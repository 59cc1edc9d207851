//! Stages 2 and 3: who is asking, and whether they may.

pub use crate::claims::Claims;
use crate::failure::{Failure, Fault};
use crate::{Deadline, Moment, Timestamp};

/// How far the clocks of those who hand out tokens and those who check them may be apart. The
/// authorizer's verifier grants it too: otherwise the two would disagree about a token's last
/// minute.
pub const LEEWAY_S: i64 = 60;

/// A kind of caller: [`Anyone`], somebody signed in, or `Option` of somebody signed in.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who may be asking",
    label = "not a kind of caller",
    note = "use `Anyone`, a type that implements `Identity`, or `Option` of such a type"
)]
pub trait Caller: Clone + Send + Sync + 'static {
    /// The roles that [`Access::OneOf`] can name for this kind of caller.
    type Role: Copy + Send + Sync + std::fmt::Debug + 'static;
    /// Whether a token is needed, welcome, or of no interest.
    const SIGN_IN: SignIn;

    /// The caller from verified claims, or from none.
    ///
    /// # Errors
    ///
    /// [`Failure::Unauthenticated`] when there are no claims and this kind of caller needs them,
    /// or when they do not make sense, or are no longer valid.
    fn identify(claims: Option<&Claims>, now: Timestamp) -> Result<Self, Failure>;

    /// What the caller is counted as by limits and idempotency; `None` counts by address.
    fn subject(&self) -> Option<String>;

    /// Whether the caller has the role.
    fn has(&self, role: Self::Role) -> bool;
}

/// Whether a caller has to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn {
    /// No token is looked at.
    None,
    /// A token is verified if there is one.
    Optional,
    /// Without a token nobody gets in.
    Required,
}

/// Somebody who is signed in. Implemented by the application, which knows its roles.
pub trait Identity: Clone + Send + Sync + 'static {
    /// The application's roles.
    type Role: Copy + Send + Sync + std::fmt::Debug + 'static;

    /// Reads verified claims; `None` when they are not what our authorizer hands out.
    fn from_claims(claims: &Claims) -> Option<Self>;

    /// When the token ends. It is checked on every request, because API Gateway may go on using
    /// an authorizer's verdict after the token has ended.
    fn expires_at(&self) -> Timestamp;

    /// A stable id.
    fn subject(&self) -> String;

    /// Whether they have the role.
    fn has(&self, role: Self::Role) -> bool;
}

/// A caller who need not sign in, whoever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Anyone;

/// The role of [`Anyone`]: there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRole {}

impl Caller for Anyone {
    type Role = NoRole;
    const SIGN_IN: SignIn = SignIn::None;

    fn identify(_: Option<&Claims>, _: Timestamp) -> Result<Self, Failure> {
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

    fn identify(claims: Option<&Claims>, now: Timestamp) -> Result<Self, Failure> {
        claims
            .and_then(I::from_claims)
            .filter(|identity| now < identity.expires_at().plus_seconds(LEEWAY_S))
            .ok_or(Failure::Unauthenticated)
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

    fn identify(claims: Option<&Claims>, now: Timestamp) -> Result<Self, Failure> {
        claims.map(|claims| I::identify(Some(claims), now)).transpose()
    }

    fn subject(&self) -> Option<String> {
        self.as_ref().map(Identity::subject)
    }

    fn has(&self, role: I::Role) -> bool {
        self.as_ref().is_some_and(|identity| Identity::has(identity, role))
    }
}

/// Who may do this, as far as it can be said before anything is read.
///
/// There is no default: an endpoint that does not say does not compile.
#[derive(Debug, Clone, Copy)]
pub enum Access<R: 'static = NoRole> {
    /// Everybody.
    Public,
    /// Everybody who is signed in.
    SignedIn,
    /// Whoever has one of these roles.
    OneOf(&'static [R]),
}

impl<R: Copy + std::fmt::Debug> Access<R> {
    pub(crate) fn admits<C: Caller<Role = R>>(self, caller: &C) -> Result<(), Failure> {
        let signed_in = caller.subject().is_some();
        match self {
            Self::Public => Ok(()),
            Self::SignedIn if signed_in => Ok(()),
            Self::OneOf(roles) if roles.iter().any(|role| caller.has(*role)) => Ok(()),
            Self::OneOf(_) if signed_in => Err(Failure::Forbidden),
            Self::SignedIn | Self::OneOf(_) => Err(Failure::Unauthenticated),
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

/// Whether the caller may go on, now that the facts are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Allow,
    /// No, and the caller may know that there is something: 403.
    Forbid,
    /// No, and the caller may not even know that there is something: 404.
    Hide,
}

impl Verdict {
    /// Allows when it holds, hides otherwise.
    pub fn allow_or_hide(allowed: bool) -> Self {
        if allowed { Self::Allow } else { Self::Hide }
    }

    /// Allows when it holds, forbids otherwise.
    pub fn allow_or_forbid(allowed: bool) -> Self {
        if allowed { Self::Allow } else { Self::Forbid }
    }

    pub(crate) fn enforce(self) -> Result<(), Failure> {
        match self {
            Self::Allow => Ok(()),
            Self::Forbid => Err(Failure::Forbidden),
            Self::Hide => Err(Failure::Hidden),
        }
    }
}

/// The right to read data: proof that stages 2 and 3 have let the caller in.
///
/// Whatever reads takes a permit, and the lifecycle alone can make one; so reading before
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

    /// Who was let in.
    pub fn caller(&self) -> &C {
        &self.caller
    }

    /// The moment of the request.
    pub fn moment(&self) -> &Moment {
        &self.moment
    }

    /// When the request has to be answered.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// The source address of the request as limits count it: an IPv4 address, or the /64 of an
    /// IPv6 one. Empty for a record.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What stands in front of this API's paths in the request's own path: a stage or a base path.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The address of a path of this API for clients: below `base`, and below the prefix under
    /// which the request has come in, unless `base` ends with it.
    pub fn public_url(&self, base: &str, path: &str) -> String {
        let base = base.trim_end_matches('/');
        let prefix = if base.ends_with(&self.prefix) { "" } else { &self.prefix };
        format!("{base}{prefix}{path}")
    }
}

/// Verifies a bearer token, for the authorizer and for endpoints where signing in is optional.
#[async_trait::async_trait]
pub trait TokenVerifier: Send + Sync {
    /// The claims of a token that holds, in the form in which functions read them: `sub`, `roles`,
    /// `tier`, `emailVerified`, `exp`.
    ///
    /// # Errors
    ///
    /// [`TokenError::Refused`] says why to the log, never to the client; [`TokenError::Fault`]
    /// when the keys cannot be had: that is a 503, never a pass.
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError>;
}

/// Why there are no claims.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token does not hold. The reason is a constant, so that nothing of a token gets into the
    /// log, however long it is.
    #[error("the token is refused: {0}")]
    Refused(&'static str),
    /// The token could not be verified.
    #[error("the token could not be verified")]
    Fault(#[source] Fault),
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Refused(_) => Self::Unauthenticated,
            TokenError::Fault(fault @ Fault::Unavailable { .. }) => Self::Fault(fault),
            // Whatever keeps the keys away, it is not the client's token, and may be over soon.
            TokenError::Fault(fault) => {
                Self::Fault(Fault::Unavailable { retry_after_s: 1, source: Box::new(fault) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_clients_has_the_prefix_of_their_request_once() {
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
