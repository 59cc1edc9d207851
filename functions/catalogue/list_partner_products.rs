//! `GET /partner/products`: a partner's catalogue, through a circuit breaker and with a word in
//! the log of communications.

use std::process::ExitCode;

use adapters::Journal;
use adapters::upstream::{
    AccessTokens, Breaker, CIRCUITS, Client, Guarded, Request, Response, TOKENS, TokenError,
};
use domain::communications::{Communication, Ending, Outcome, Said};
use domain::notices::{UpstreamFailed, UpstreamFailure};
use domain::partner::{
    Category, Consequence, FailedAnswer, Language, PageNumber, PageSize, PartnerId, PartnerProduct,
    read_products,
};
use domain::refusals;
use domain::tables::{COMMUNICATIONS, NOTIFICATIONS, PARTNER};
use lifecycle::caller::NoRole;
use lifecycle::effects::{Effects, Event, Message};
use lifecycle::input::{Headers, QueryString};
use lifecycle::telemetry::{leave_message, request_id};
use lifecycle::uses::{Use, Verb};
use lifecycle::{
    Access, Anyone, Conditions, Endpoint, Fault, Moment, Permit, Refusal, Rejection, Reply, Route,
    Verdict, Violations,
};
use schemars::JsonSchema;

fn main() -> ExitCode {
    adapters::serve(|aws| {
        let partner = aws.upstream(PARTNER);
        ListPartnerProducts {
            communications: aws.journal(),
            breaker: aws.breaker(PARTNER),
            tokens: aws.access_tokens(partner.clone(), CREDENTIALS),
            partner,
        }
    })
}

struct ListPartnerProducts {
    communications: Journal<Communication>,
    breaker: Breaker,
    tokens: AccessTokens,
    partner: Client,
}

/// The secret that the partner knows us by.
const CREDENTIALS: &str = "partner_credentials";
/// The partner's catalogue.
const PATH: &str = "/v2/product-list";

impl Endpoint for ListPartnerProducts {
    // 1. Routing
    const ROUTE: Route = Route::get("/partner/products");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const USES: &'static [Use] = &[
        Use::Table(COMMUNICATIONS, &[Verb::PutItem]),
        Use::Table(CIRCUITS, &[Verb::GetItem, Verb::PutItem]),
        Use::Table(TOKENS, &[Verb::GetItem, Verb::PutItem, Verb::DeleteItem]),
        Use::Secret(CREDENTIALS),
        Use::Upstream(PARTNER),
        Use::Queue(NOTIFICATIONS),
    ];

    // 4. Deserialisation
    type Input = (QueryString<Parameters>, Headers<Mandatory>);

    // 5. Syntax validation
    type Command = Wanted;

    fn parse((QueryString(page), Headers(by)): Self::Input) -> Result<Wanted, Violations> {
        Ok(Wanted { page, by })
    }

    // 6. Retrieval: the partner's answer, with a record of it before and after. What the partner
    // says no to is a fact like any other.
    type Facts = Result<Vec<PartnerProduct>, FailedAnswer>;

    async fn retrieve(
        &self,
        permit: &Permit<Anyone>,
        wanted: &Wanted,
    ) -> Result<Self::Facts, Fault> {
        let begun = self.begin(permit.moment(), wanted);
        self.communications.note(permit, &begun).await;
        let call = Box::pin(self.ask(permit, wanted));
        let guarded = self.breaker.guard(permit, call, is_outage).await;
        self.communications.note(permit, &begun.ended(ending(&guarded))).await;
        let Guarded { value: answer, opened, .. } = guarded?;
        tell_operators(permit.moment(), opened, &answer);
        match answer {
            Ok(answer) => Ok(answer.read),
            Err(Fault::Upstream(error)) => {
                tracing::warn!(error = &*error as &dyn std::error::Error, "no answer to be used");
                Ok(Err(FailedAnswer::missing()))
            }
            Err(fault) => Err(fault),
        }
    }

    // 3 again. Authorization: the catalogue is public
    fn allow(_: &Anyone, _: &Wanted, _: &Self::Facts) -> Verdict {
        Verdict::Allow
    }

    const CONDITIONS: Conditions<Self::Facts> = Conditions::Untagged;

    // 7. Business rules: the partner's
    type Outcome = Vec<PartnerProduct>;
    const REFUSALS: &'static [Refusal] = &[
        refusals::PARTNER_FORBIDDEN,
        refusals::BILL_NOT_VALID,
        refusals::PRODUCT_CLOSED,
        refusals::PARTNER_AUTHENTICATION_FAILED,
        refusals::PARTNER_ERROR,
    ];

    fn decide(
        _: &Moment,
        _: &Anyone,
        _: &Wanted,
        answer: Self::Facts,
    ) -> Result<Vec<PartnerProduct>, Rejection> {
        answer.map_err(|failed| failed.rejection())
    }

    // 8. Side effects: none that depend on success
    fn effects(_: &Vec<PartnerProduct>) -> Effects {
        Effects::none()
    }

    // 9. Response
    type View = Vec<PartnerProduct>;

    fn reply(products: Vec<PartnerProduct>) -> Reply<Vec<PartnerProduct>> {
        Reply::ok(products)
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    /// Which page, from 1; the first unless said.
    #[serde(default)]
    page: Option<PageNumber>,
    /// How many products a page has at most; 20 unless said.
    #[serde(default)]
    page_size: Option<PageSize>,
    /// Only products of this category.
    #[serde(default)]
    category: Option<Category>,
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Mandatory {
    /// On whose behalf the partner is asked.
    x_partner_id: PartnerId,
    /// The language of the names, for the partner to understand.
    accept_language: Language,
}

/// A page of the partner's catalogue, and on whose behalf it is asked for.
struct Wanted {
    page: Parameters,
    by: Mandatory,
}

impl ListPartnerProducts {
    fn begin(&self, moment: &Moment, wanted: &Wanted) -> Communication {
        let by = &wanted.by;
        let said = Said::of(
            [
                ("x-partner-id", by.x_partner_id.as_str()),
                ("accept-language", by.accept_language.as_str()),
            ],
            b"",
        );
        let route = format!("{} {}", Self::ROUTE.method, Self::ROUTE.path);
        let address = format!("{}{PATH}", self.partner.url());
        let request_id = request_id().unwrap_or_default();
        let who = by.x_partner_id.as_str();
        Communication::begin(moment, request_id, who, route, (PARTNER.name(), address), said)
    }

    /// Asks the partner, and once more with another token if it does not accept the first.
    async fn ask(&self, permit: &Permit<Anyone>, wanted: &Wanted) -> Result<Answer, Fault> {
        let mut last_try = false;
        loop {
            let token = match self.tokens.get(permit).await {
                Ok(token) => token,
                Err(TokenError::Refused(answer)) => return Ok(answer.into()),
                Err(TokenError::Fault(fault)) => return Err(fault),
            };
            let request = request(wanted).bearer(token.secret());
            let answer = Answer::from(self.partner.send(permit, &request).await?);
            let refused = answer.consequence() == Some(Consequence::TokenRefused);
            if refused {
                self.tokens.discard(permit, &token).await;
            }
            if last_try || !refused {
                return Ok(answer);
            }
            last_try = true;
        }
    }
}

/// The partner's answer, as it came and as it is understood.
struct Answer {
    raw: Response,
    read: Result<Vec<PartnerProduct>, FailedAnswer>,
}

impl From<Response> for Answer {
    fn from(raw: Response) -> Self {
        Self { read: read_products(raw.status.as_u16(), &raw.body), raw }
    }
}

impl Answer {
    fn consequence(&self) -> Option<Consequence> {
        self.read.as_ref().err().map(FailedAnswer::consequence)
    }

    /// What the log keeps of it.
    fn said(&self) -> (u16, Said) {
        let headers = self.raw.headers.iter();
        let visible =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        (self.raw.status.as_u16(), Said::of(visible, &self.raw.body))
    }
}

fn request(Wanted { page, by }: &Wanted) -> Request {
    let request = Request::get(PATH)
        .query("page", page.page.unwrap_or(PageNumber::MIN).get())
        .query("page_size", page.page_size.unwrap_or_default().get())
        .header("accept-language", by.accept_language.as_str())
        .header("x-partner-id", by.x_partner_id.as_str());
    match &page.category {
        Some(category) => request.query("category", category),
        None => request,
    }
}

/// What counts against the partner: no answer, or one that is of no use. A fault of our own is
/// none of its doing.
fn is_outage(answer: &Result<Answer, Fault>) -> bool {
    match answer {
        Ok(answer) => answer.consequence() == Some(Consequence::Outage),
        Err(fault) => matches!(fault, Fault::Upstream(_) | Fault::TimedOut),
    }
}

/// How the record of it ends.
fn ending(guarded: &Result<Guarded<Result<Answer, Fault>>, Fault>) -> Ending {
    let Ok(Guarded { value, took, .. }) = guarded else {
        return Ending { outcome: Outcome::CutOff, answer: None, latency_ms: None };
    };
    let answer = value.as_ref().ok();
    let outcome = match answer.map(Answer::consequence) {
        Some(None) => Outcome::Answered,
        Some(Some(Consequence::None)) => Outcome::Refused,
        Some(Some(_)) | None => Outcome::Failed,
    };
    let latency_ms = u64::try_from(took.as_millis()).ok();
    Ending { outcome, answer: answer.map(Answer::said), latency_ms }
}

/// Operators hear of what is not the client's doing, after the answer and whatever it is.
fn tell_operators(moment: &Moment, opened: bool, answer: &Result<Answer, Fault>) {
    let failed = answer.as_ref().ok().and_then(|answer| answer.read.as_ref().err());
    let kind = match failed {
        Some(failed) => failed.kind(),
        None => is_outage(answer).then_some(UpstreamFailure::Failed),
    };
    let code = failed.and_then(FailedAnswer::code).map(str::to_owned);
    let opening = opened.then_some(UpstreamFailure::CircuitOpened);
    for kind in kind.into_iter().chain(opening) {
        let (upstream, code, at) = (PARTNER.name().to_owned(), code.clone(), moment.now());
        let event = Event::about(PARTNER.name(), &UpstreamFailed { upstream, kind, code, at });
        leave_message(Message::new(NOTIFICATIONS, event));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;

    const PRODUCTS: &str = r#"{"products":[]}"#;
    const NO: &str = r#"{"code":"P01"}"#;

    fn answer(status: StatusCode, body: &str) -> Answer {
        Response::made_up(PARTNER, status, body).into()
    }

    #[test]
    fn only_what_is_the_partners_doing_counts_against_it() {
        for (what, answer, outage) in [
            ("products", Ok(answer(StatusCode::OK, PRODUCTS)), false),
            ("no", Ok(answer(StatusCode::FORBIDDEN, NO)), false),
            ("a token refused", Ok(answer(StatusCode::UNAUTHORIZED, "")), false),
            ("nonsense", Ok(answer(StatusCode::OK, "{}")), true),
            ("a failure", Ok(answer(StatusCode::BAD_GATEWAY, "")), true),
            ("no answer", Err(Fault::Upstream("".into())), true),
            ("an answer too late", Err(Fault::TimedOut), true),
            ("a fault of our own", Err(Fault::internal("")), false),
        ] {
            assert_eq!(is_outage(&answer), outage, "{what}");
        }
    }

    #[test]
    fn the_record_ends_as_the_call_did() {
        for (answer, outcome, status) in [
            (Ok(answer(StatusCode::OK, PRODUCTS)), Outcome::Answered, Some(200)),
            (Ok(answer(StatusCode::FORBIDDEN, NO)), Outcome::Refused, Some(403)),
            (Ok(answer(StatusCode::UNAUTHORIZED, "")), Outcome::Failed, Some(401)),
            (Ok(answer(StatusCode::BAD_GATEWAY, "")), Outcome::Failed, Some(502)),
            (Err(Fault::TimedOut), Outcome::Failed, None),
        ] {
            let took = Duration::from_millis(12);
            let ended = ending(&Ok(Guarded { value: answer, took, opened: false }));
            assert_eq!(ended.outcome, outcome, "{status:?}");
            assert_eq!(ended.answer.map(|(status, _)| status), status, "{outcome:?}");
            assert_eq!(ended.latency_ms, Some(12));
        }
        let cut_off = ending(&Err(Fault::internal("cut off")));
        assert_eq!((cut_off.outcome, cut_off.latency_ms), (Outcome::CutOff, None));
    }
}
