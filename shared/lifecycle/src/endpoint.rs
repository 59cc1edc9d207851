//! The nine stages as a trait.

use std::future::Future;

use http::StatusCode;

use crate::caller::{Access, Caller, TokenVerifier, Verdict};
use crate::conditions::Conditions;
use crate::effects::Effects;
use crate::failure::{Fault, Refusal, Rejection, Violations};
use crate::idempotency::Idempotency;
use crate::input::Input;
use crate::limit::Limit;
use crate::reply::{Reply, View};
use crate::route::Route;
use crate::uses::Use;
use crate::{Moment, Permit};

/// The roles that a kind of caller can have.
pub type RoleOf<C> = <C as Caller>::Role;

/// An endpoint that changes something: all nine stages.
///
/// One that only reads is a [`Query`], which is shorter. Stages 3 and 3b, the two halves of
/// authorization, have no defaults: leaving one out does not compile.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an endpoint",
    label = "neither `Endpoint` nor `Query` is implemented for it",
    note = "implement `Query` if it only reads, `Endpoint` if it changes something"
)]
pub trait Endpoint: Send + Sync + Sized + 'static {
    /// Stage 1. Routing: method and path template.
    const ROUTE: Route;

    /// Stage 2. Authentication: [`Anyone`](crate::Anyone), somebody signed in, or an `Option`.
    type Caller: Caller;

    /// Stage 3. Authorization, before anything is read.
    const ACCESS: Access<RoleOf<Self::Caller>>;

    /// How often one caller, or one address, may ask.
    const LIMIT: Limit = Limit::DEFAULT;

    /// The most that one request counts of the limit.
    const COST_MAX: u32 = 1;

    /// How much of the limit a request counts: as much as it makes others do. One is counted
    /// before its body is read, the rest before anything else is done.
    fn cost(_: &Self::Command) -> u32 {
        1
    }

    /// Whether a repeated request with the same key is recognised.
    const IDEMPOTENCY: Idempotency = Idempotency::None;

    /// The largest body that is read, in bytes; over it, 413. An endpoint with a body says how
    /// large its own may be: `cargo xtask openapi` compares with the largest that is valid.
    const BODY_BYTES_MAX: usize = 256 * 1024;

    /// The tables, queues, secrets and upstreams in use, for the policy.
    const USES: &'static [Use];

    /// Stage 4. Deserialisation: path, query, headers and body as on the wire. A part
    /// ([`Path`](crate::input::Path),
    /// [`QueryString`](crate::input::QueryString), [`Headers`](crate::input::Headers),
    /// [`Json`](crate::input::Json)) or a tuple of parts.
    type Input: Input;

    /// Stage 5. Syntax validation: into a type that cannot be wrong.
    type Command: Send + Sync;

    /// Stage 5. Syntax validation.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once.
    fn parse(input: Self::Input) -> Result<Self::Command, Violations>;

    /// Stage 6. Retrieval: everything the decision needs.
    type Facts: Send + Sync;

    /// Stage 6. Retrieval, in parallel, and only with a permit.
    fn retrieve(
        &self,
        permit: &Permit<Self::Caller>,
        command: &Self::Command,
    ) -> impl Future<Output = Result<Self::Facts, Fault>> + Send;

    /// Stage 3b. Authorization that depends on what was found.
    fn allow(caller: &Self::Caller, command: &Self::Command, facts: &Self::Facts) -> Verdict;

    /// After stage 3b. What `If-Match` and `If-None-Match` are compared with: a request whose
    /// conditions do not hold is answered 412, and changes nothing.
    const CONDITIONS: Conditions<Self::Facts>;

    /// Stage 7. Business rules: what is decided.
    type Outcome: Send + Sync;

    /// Stage 7. Business rules: every "no" that the rules, or the conditions of the effects, may
    /// give; for the description.
    const REFUSALS: &'static [Refusal] = &[];

    /// Stage 7. Business rules: a pure function of values. It runs again when the facts have
    /// moved before the commit.
    ///
    /// # Errors
    ///
    /// The rule that says no.
    fn decide(
        moment: &Moment,
        caller: &Self::Caller,
        command: &Self::Command,
        facts: Self::Facts,
    ) -> Result<Self::Outcome, Rejection>;

    /// Stage 8. Side effects, as values.
    fn effects(outcome: &Self::Outcome) -> Effects;

    /// Stage 9. Response: the status of success. A reply with another one is a fault of the
    /// endpoint, so that its description cannot promise what it does not do.
    const STATUS: StatusCode = StatusCode::OK;

    /// Stage 9. Response: the status of a reply that tells, in the same shape, that something
    /// fails.
    const FAILURE_STATUS: Option<StatusCode> = None;

    /// Stage 9. Response: the shape of its data.
    type View: View;

    /// Stage 9. Response.
    fn reply(outcome: Self::Outcome) -> Reply<Self::View>;

    /// Verifies tokens where signing in is optional: API Gateway's authorizers cannot.
    fn verifier(&self) -> Option<&dyn TokenVerifier> {
        None
    }
}

/// An endpoint that only reads: stages 7 and 8 fall away, and so do what they need.
pub trait Query: Send + Sync + Sized + 'static {
    /// Stage 1. Routing: method and path template.
    const ROUTE: Route;

    /// Stage 2. Authentication.
    type Caller: Caller;

    /// Stage 3. Authorization, before anything is read.
    const ACCESS: Access<RoleOf<Self::Caller>>;

    /// How often one caller, or one address, may ask.
    const LIMIT: Limit = Limit::DEFAULT;

    /// The tables, queues, secrets and upstreams in use, for the policy.
    const USES: &'static [Use];

    /// Stage 4. Deserialisation, as in [`Endpoint::Input`].
    type Input: Input;

    /// Stage 5. Syntax validation: into a type that cannot be wrong.
    type Question: Send + Sync;

    /// Stage 5. Syntax validation.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, at once.
    fn parse(input: Self::Input) -> Result<Self::Question, Violations>;

    /// Stage 6. Retrieval: what was asked for.
    type Facts: Send + Sync;

    /// Stage 6. Retrieval, in parallel, and only with a permit.
    fn retrieve(
        &self,
        permit: &Permit<Self::Caller>,
        question: &Self::Question,
    ) -> impl Future<Output = Result<Self::Facts, Fault>> + Send;

    /// Stage 3b. Authorization that depends on what was found.
    fn allow(caller: &Self::Caller, question: &Self::Question, facts: &Self::Facts) -> Verdict;

    /// Stage 9. Response, as in [`Endpoint::FAILURE_STATUS`].
    const FAILURE_STATUS: Option<StatusCode> = None;

    /// Stage 9. Response: the shape of its data.
    type View: View;

    /// Stage 9. Response.
    fn reply(facts: Self::Facts) -> Reply<Self::View>;

    /// Verifies tokens where signing in is optional.
    fn verifier(&self) -> Option<&dyn TokenVerifier> {
        None
    }
}

/// A query is an endpoint whose facts are its outcome, and that has no effects.
impl<Q: Query> Endpoint for Q {
    const ROUTE: Route = Q::ROUTE;
    type Caller = Q::Caller;
    const ACCESS: Access<RoleOf<Q::Caller>> = Q::ACCESS;
    const LIMIT: Limit = Q::LIMIT;
    const USES: &'static [Use] = Q::USES;
    const FAILURE_STATUS: Option<StatusCode> = Q::FAILURE_STATUS;
    // The tag of its reply is what conditions are compared with.
    const CONDITIONS: Conditions<Q::Facts> = Conditions::Untagged;
    type Input = Q::Input;
    type Command = Q::Question;
    type Facts = Q::Facts;
    type Outcome = Q::Facts;
    type View = Q::View;

    fn parse(input: Q::Input) -> Result<Q::Question, Violations> {
        Q::parse(input)
    }

    fn retrieve(
        &self,
        permit: &Permit<Q::Caller>,
        question: &Q::Question,
    ) -> impl Future<Output = Result<Q::Facts, Fault>> + Send {
        Query::retrieve(self, permit, question)
    }

    fn allow(caller: &Q::Caller, question: &Q::Question, facts: &Q::Facts) -> Verdict {
        Q::allow(caller, question, facts)
    }

    fn decide(
        _: &Moment,
        _: &Q::Caller,
        _: &Q::Question,
        facts: Q::Facts,
    ) -> Result<Q::Facts, Rejection> {
        Ok(facts)
    }

    fn effects(_: &Q::Facts) -> Effects {
        Effects::none()
    }

    fn reply(facts: Q::Facts) -> Reply<Q::View> {
        Q::reply(facts)
    }

    fn verifier(&self) -> Option<&dyn TokenVerifier> {
        Query::verifier(self)
    }
}
