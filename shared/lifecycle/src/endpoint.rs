//! The nine stages as traits: [`Endpoint`], and [`Query`] for endpoints that only read.

use std::fmt::Debug;
use std::future::Future;

use crate::caller::{Access, Caller, TokenVerifier, Verdict};
use crate::conditions::Conditions;
use crate::effects::Effects;
use crate::error::{DomainError, ErrorCode, ErrorShape, Retrieved};
use crate::idempotency::Idempotency;
use crate::input::{FromInput, Input};
use crate::limit::{Limit, SubjectLimit};
use crate::reply::Reply;
use crate::resource::{Resources, permit_messages, permit_tertiary_effects};
use crate::route::Route;
use crate::{Moment, Permit};

/// The roles that a kind of caller can have.
pub type RoleOf<C> = <C as Caller>::Role;

/// The value that an endpoint's input is read into.
pub type ValueOf<I> = <I as Input>::Value;

/// Stage 3b. Authorization once the facts are known.
///
/// There is no default: an endpoint without it does not compile.
pub enum Allow<E: Endpoint> {
    /// Whatever the facts are: stage 3 has decided.
    Always,
    /// 404 unless it is true of the caller, the command and the facts: the caller cannot learn that the
    /// resource exists.
    HideUnless(fn(&E::Caller, &E::Command, &E::Facts) -> bool),
    /// 403 unless it is true of the caller, the command and the facts.
    ForbidUnless(fn(&E::Caller, &E::Command, &E::Facts) -> bool),
    /// By the caller, the command and the facts.
    If(fn(&E::Caller, &E::Command, &E::Facts) -> Verdict),
}

impl<E: Endpoint> Allow<E> {
    /// Returns the verdict on a request.
    pub fn verdict(&self, caller: &E::Caller, command: &E::Command, facts: &E::Facts) -> Verdict {
        match self {
            Self::Always => Verdict::Allow,
            Self::HideUnless(holds) if holds(caller, command, facts) => Verdict::Allow,
            Self::HideUnless(_) => Verdict::Hide,
            Self::ForbidUnless(holds) if holds(caller, command, facts) => Verdict::Allow,
            Self::ForbidUnless(_) => Verdict::Forbid,
            Self::If(decide) => decide(caller, command, facts),
        }
    }

    /// Whether the verdict can be `Forbid`, for the endpoint's description.
    pub(crate) fn may_forbid(&self) -> bool {
        matches!(self, Self::ForbidUnless(_) | Self::If(_))
    }

    /// The kind of decision, for the endpoint's description.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::HideUnless(_) | Self::ForbidUnless(_) | Self::If(_) => "by facts",
        }
    }
}

/// An endpoint that changes data: all nine stages.
///
/// An endpoint that only reads is a [`Query`], which is shorter. Stages 3 and 3b, the two halves of
/// authorization, have no defaults: leaving one out does not compile.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an endpoint",
    label = "neither `Endpoint` nor `Query` is implemented for it",
    note = "implement `Query` for it if it only reads (without stages 7 and 8), or `Endpoint` if it changes data (all nine stages)"
)]
pub trait Endpoint: Send + Sync + Sized + 'static {
    /// Stage 1. Routing: method and path template. A public `GET` also answers `HEAD`.
    const ROUTE: Route;

    /// Stage 2. Authentication: [`Anyone`](crate::Anyone), an [`Identity`](crate::Identity), or an
    /// `Option` of one.
    type Caller: Caller;

    /// Stage 3. Authorization, before anything is read.
    const ACCESS: Access<RoleOf<Self::Caller>>;

    /// The rate limit of one caller, or of one source address if the caller is not signed in.
    const LIMIT: Limit = Limit::DEFAULT;

    /// The highest value that [`cost`](Self::cost) may return.
    const COST_MAX: u32 = 1;

    /// The amount that a request counts towards the limit: the number of operations that it causes.
    /// One is counted before the body is read, the rest before stage 6.
    fn cost(_: &Self::Command) -> u32 {
        1
    }

    /// The rate limit of one subject of commands, such as an e-mail address, from all callers
    /// together. Counted between stages 5 and 6.
    const SUBJECT_LIMIT: Option<SubjectLimit<Self::Command>> = None;

    /// Whether a repeated request with the same key is recognised.
    const IDEMPOTENCY: Idempotency = Idempotency::None;

    /// The largest body that is read, in bytes; a larger one is 413. An endpoint with a body sets
    /// its own value; `cargo lifecycle openapi` compares it with the largest valid body.
    const BODY_BYTES_MAX: usize = 256 * 1024;

    /// The tables, queues, secrets and upstreams in use, for the IAM policy.
    const RESOURCES: Resources;

    /// Whether effects may be left to do after the response: messages, announcements, mails and posts. It
    /// follows from the resources. Such an endpoint registers an internal extension, whose exchange with
    /// Lambda is billed with each invocation.
    ///
    /// An endpoint with a queue or an upstream for other purposes sets it to `false`, for example if
    /// its message is [sent in place of the commit](Effects::enqueue_instead_of_commit). Effects that
    /// it has in spite of that are performed before the response.
    const TERTIARY_EFFECTS: bool = permit_tertiary_effects(Self::RESOURCES);

    /// Stage 4. Deserialisation: path, query, headers and body as on the wire. A part
    /// ([`Path`](crate::input::Path), [`QueryString`](crate::input::QueryString),
    /// [`Headers`](crate::input::Headers), [`Cookies`](crate::input::Cookies), and of the body
    /// [`Json`](crate::input::Json), [`Form`](crate::input::Form) or
    /// [`RawBody`](crate::input::RawBody)) or a tuple of parts.
    type Input: Input;

    /// Stage 5. Syntax validation, by `TryFrom`: into a type that cannot be wrong. It is the value
    /// of the input itself, or a type made of it. The conversion reports all field errors together.
    /// The local platform shows it by its `Debug`, so a type with a secret hides it there.
    type Command: FromInput<ValueOf<Self::Input>> + Debug + Send + Sync;

    /// Stage 6. Retrieval: everything the decision needs.
    type Facts: Send + Sync;

    /// Stage 6. Retrieval, in parallel, and only with a permit.
    fn retrieve(
        &self,
        permit: &Permit<Self::Caller>,
        command: &Self::Command,
    ) -> impl Future<Output = Retrieved<Self::Facts>> + Send;

    /// Stage 3b. Authorization that depends on the facts.
    const ALLOW: Allow<Self>;

    /// After stage 3b. The entity tag that `If-Match` and `If-None-Match` are compared with. A
    /// request whose conditions do not hold is answered with 412 and changes nothing.
    const CONDITIONS: Conditions<Self::Facts>;

    /// Stage 7. Business rules: the decision.
    type Outcome: Send + Sync;

    /// Stage 7. Business rules: the errors that the rules, or the conditions of the effects, may
    /// return; for the API description.
    const ERRORS: &'static [ErrorCode] = &[];

    /// The shape of the bodies of all error responses.
    const ERROR_SHAPE: ErrorShape = ErrorShape::STANDARD;

    /// Stage 7. Business rules: a pure function of values. It runs again when the facts are stale
    /// at the commit.
    ///
    /// # Errors
    ///
    /// The business rule that rejects the request.
    fn decide(
        moment: &Moment,
        caller: &Self::Caller,
        command: &Self::Command,
        facts: Self::Facts,
    ) -> Result<Self::Outcome, DomainError>;

    /// Stage 8. Side effects, as values: the lifecycle commits and sends them.
    fn effects(outcome: &Self::Outcome) -> Effects;

    /// Stage 9. Response: its status, and the shape of its data.
    type Reply: Reply;

    /// Stage 9. Response: the outcome as the client sees it. A pure function of values.
    fn reply(outcome: Self::Outcome) -> Self::Reply;

    /// The verifier of tokens where signing in is optional: API Gateway's authorizers cannot verify
    /// them there. `None` where callers have to sign in, or cannot.
    fn verifier(&self) -> Option<&dyn TokenVerifier> {
        None
    }
}

/// An endpoint that only reads. It has no stages 7 and 8, and no items for idempotency, conditions,
/// costs or the size of a body.
pub trait Query: Send + Sync + Sized + 'static {
    /// Stage 1. Routing: method and path template. A public `GET` also answers `HEAD`.
    const ROUTE: Route;

    /// Stage 2. Authentication, as in [`Endpoint::Caller`].
    type Caller: Caller;

    /// Stage 3. Authorization, before anything is read.
    const ACCESS: Access<RoleOf<Self::Caller>>;

    /// The rate limit of one caller, or of one source address if the caller is not signed in.
    const LIMIT: Limit = Limit::DEFAULT;

    /// The tables, queues, secrets and upstreams in use, for the IAM policy.
    const RESOURCES: Resources;

    /// Stage 4. Deserialisation, as in [`Endpoint::Input`].
    type Input: Input;

    /// Stage 5. Syntax validation, by `TryFrom`: into a type that cannot be wrong. It is the value
    /// of the input itself, or a type made of it. The conversion reports all field errors together.
    /// The local platform shows it by its `Debug`, so a type with a secret hides it there.
    type Command: FromInput<ValueOf<Self::Input>> + Debug + Send + Sync;

    /// Stage 6. Retrieval: the data that was asked for.
    type Facts: Send + Sync;

    /// Stage 6. Retrieval, in parallel, and only with a permit.
    fn retrieve(
        &self,
        permit: &Permit<Self::Caller>,
        command: &Self::Command,
    ) -> impl Future<Output = Retrieved<Self::Facts>> + Send;

    /// Stage 3b. Authorization that depends on the facts.
    const ALLOW: Allow<Self>;

    /// Stage 9. Response: its status, and the shape of its data.
    type Reply: Reply;

    /// The shape of error bodies, as in [`Endpoint::ERROR_SHAPE`].
    const ERROR_SHAPE: ErrorShape = ErrorShape::STANDARD;

    /// Stage 9. Response: the facts as the client sees them. A pure function of values.
    fn reply(facts: Self::Facts) -> Self::Reply;

    /// The verifier of tokens where signing in is optional, as in [`Endpoint::verifier`].
    fn verifier(&self) -> Option<&dyn TokenVerifier> {
        None
    }
}

/// A query is an endpoint without effects, whose outcome is its facts.
#[diagnostic::do_not_recommend]
impl<Q: Query> Endpoint for Q {
    const ROUTE: Route = Q::ROUTE;
    type Caller = Q::Caller;
    const ACCESS: Access<RoleOf<Q::Caller>> = Q::ACCESS;
    const LIMIT: Limit = Q::LIMIT;
    const RESOURCES: Resources = Q::RESOURCES;
    // A query has no effects but the messages that its permit sends.
    const TERTIARY_EFFECTS: bool = permit_messages(Q::RESOURCES);
    const ALLOW: Allow<Q> = <Q as Query>::ALLOW;
    const ERROR_SHAPE: ErrorShape = <Q as Query>::ERROR_SHAPE;
    // Conditions are compared with the tag of the reply.
    const CONDITIONS: Conditions<Q::Facts> = Conditions::Untagged;
    type Input = Q::Input;
    type Command = Q::Command;
    type Facts = Q::Facts;
    type Outcome = Q::Facts;
    type Reply = Q::Reply;

    fn retrieve(
        &self,
        permit: &Permit<Q::Caller>,
        command: &Q::Command,
    ) -> impl Future<Output = Retrieved<Q::Facts>> + Send {
        Query::retrieve(self, permit, command)
    }

    fn decide(
        _: &Moment,
        _: &Q::Caller,
        _: &Q::Command,
        facts: Q::Facts,
    ) -> Result<Q::Facts, DomainError> {
        Ok(facts)
    }

    fn effects(_: &Q::Facts) -> Effects {
        Effects::none()
    }

    fn reply(facts: Q::Facts) -> Q::Reply {
        Q::reply(facts)
    }

    fn verifier(&self) -> Option<&dyn TokenVerifier> {
        Query::verifier(self)
    }
}
