//! `GET /partner/products`: a partner's catalogue, through a circuit breaker and with an audit
//! record of each call.

use std::process::ExitCode;

use aws::AuditLog;
use aws::upstream::{
    AccessTokens, Breaker, CIRCUITS, Client, Guarded, Health, Request, Response, TOKENS, TokenError,
};
use domain::communications::{Ending, LoggedMessage, Outcome, UpstreamCall};
use domain::error_codes;
use domain::notices::{UpstreamFailed, UpstreamFailure};
use domain::partner::{
    Category, FailedResponse, FailureClass, Language, Page, PageNumber, PageSize, PartnerId,
    PartnerProduct, Sku, read_products,
};
use domain::resources::{COMMUNICATIONS, NOTIFICATIONS, PARTNER};
use lifecycle::caller::NoRole;
use lifecycle::effects::{Effects, Event, Message};
use lifecycle::input::{Headers, QueryString};
use lifecycle::resource::{Action, Resource};
use lifecycle::telemetry::{observe_error, request_id, send_after_response};
use lifecycle::{
    Access, Anyone, Conditions, DomainError, Endpoint, ErrorCode, FieldErrors, Moment, Permit,
    Reply, Route, ServiceError, Verdict,
};
use schemars::JsonSchema;

fn main() -> ExitCode {
    aws::serve(|aws| {
        let partner = aws.upstream(PARTNER);
        ListPartnerProducts {
            communications: aws.audit_log(),
            breaker: aws.breaker(PARTNER),
            tokens: aws.access_tokens(partner.clone(), CREDENTIALS),
            partner,
        }
    })
}

struct ListPartnerProducts {
    communications: AuditLog<UpstreamCall>,
    breaker: Breaker,
    tokens: AccessTokens,
    partner: Client,
}

/// The secret with the credentials for the partner.
const CREDENTIALS: &str = "partner_credentials";
/// The partner's catalogue.
const PATH: &str = "/v2/product-list";
/// `Retry-After` in seconds, if a busy partner sends none.
const RETRY_AFTER_S: u32 = 5;

impl Endpoint for ListPartnerProducts {
    // 1. Routing
    const ROUTE: Route = Route::get("/partner/products");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const RESOURCES: &'static [Resource] = &[
        Resource::Table(COMMUNICATIONS, &[Action::PutItem]),
        Resource::Table(CIRCUITS, &[Action::GetItem, Action::PutItem]),
        Resource::Table(TOKENS, &[Action::GetItem, Action::PutItem, Action::DeleteItem]),
        Resource::Secret(CREDENTIALS),
        Resource::Upstream(PARTNER),
        Resource::Queue(NOTIFICATIONS),
    ];

    // 4. Deserialisation
    type Input = (QueryString<Parameters>, Headers<Mandatory>);

    // 5. Syntax validation
    type Command = Wanted;

    fn parse((QueryString(page), Headers(by)): Self::Input) -> Result<Wanted, FieldErrors> {
        Ok(Wanted { page, by })
    }

    // 6. Retrieval: the partner's response, with an audit record before and after the call. The
    // partner's refusal is a fact like any other, unless the partner is busy.
    type Facts = Result<Page, FailedResponse>;

    async fn retrieve(
        &self,
        permit: &Permit<Anyone>,
        wanted: &Wanted,
    ) -> Result<Self::Facts, ServiceError> {
        let begun = self.begin(permit.moment(), wanted);
        self.communications.append(permit, &begun).await;
        let call = Box::pin(self.ask(permit, wanted));
        let guarded = self.breaker.guard(permit, call, health).await;
        self.communications.append(permit, &begun.ended(ending(&guarded))).await;
        let Guarded { value: answer, opened, .. } = guarded?;
        tell_operators(permit.moment(), opened, &answer);
        match answer {
            Ok(answer) => answer.facts(),
            Err(ServiceError::Upstream(error)) => {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    "partner response unusable"
                );
                Ok(Err(FailedResponse::missing()))
            }
            Err(fault) => Err(fault),
        }
    }

    // 3b. Authorization: the catalogue is public
    fn allow(_: &Anyone, _: &Wanted, _: &Self::Facts) -> Verdict {
        Verdict::Allow
    }

    const CONDITIONS: Conditions<Self::Facts> = Conditions::Untagged;

    // 7. Business rules: the partner's errors become ours
    type Outcome = Vec<PartnerProduct>;
    const ERRORS: &'static [ErrorCode] = &[
        error_codes::PARTNER_FORBIDDEN,
        error_codes::BILL_NOT_VALID,
        error_codes::PRODUCT_CLOSED,
        error_codes::PARTNER_AUTHENTICATION_FAILED,
        error_codes::PARTNER_ERROR,
    ];

    fn decide(
        _: &Moment,
        _: &Anyone,
        _: &Wanted,
        answer: Self::Facts,
    ) -> Result<Vec<PartnerProduct>, DomainError> {
        answer.map(|page| page.products).map_err(|failed| failed.rejection())
    }

    // 8. Side effects: none; audit records and alerts do not depend on success
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
    /// The page number, from 1; by default 1.
    #[serde(default)]
    page: Option<PageNumber>,
    /// The maximum number of products on a page; by default 20.
    #[serde(default)]
    page_size: Option<PageSize>,
    /// Only products of this category.
    #[serde(default)]
    category: Option<Category>,
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Mandatory {
    /// The id of the party on whose behalf the partner is asked.
    x_partner_id: PartnerId,
    /// The language of the product names; it is passed on to the partner.
    accept_language: Language,
}

/// A page of the partner's catalogue, and the headers for asking the partner.
struct Wanted {
    page: Parameters,
    by: Mandatory,
}

impl Wanted {
    fn page_size(&self) -> PageSize {
        self.page.page_size.unwrap_or_default()
    }
}

impl ListPartnerProducts {
    fn begin(&self, moment: &Moment, wanted: &Wanted) -> UpstreamCall {
        let by = &wanted.by;
        let said = LoggedMessage::of(
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
        UpstreamCall::begin(moment, request_id, who, route, (PARTNER.name(), address), said)
    }

    /// Asks the partner, and once more with a new token if it rejects the first.
    async fn ask(
        &self,
        permit: &Permit<Anyone>,
        wanted: &Wanted,
    ) -> Result<PartnerResponse, ServiceError> {
        let mut last_try = false;
        loop {
            let token = match self.tokens.get(permit).await {
                Ok(token) => token,
                Err(TokenError::Refused(answer)) => return Ok(PartnerResponse::of(answer, wanted)),
                Err(TokenError::ServiceError(fault)) => return Err(fault),
            };
            let request = request(wanted).bearer(token.secret()).on_behalf_of(permit.source());
            let answer = PartnerResponse::of(self.partner.send(permit, &request).await?, wanted);
            let refused = answer.consequence() == Some(FailureClass::TokenRefused);
            if !refused || !self.tokens.discard(permit, &token).await || last_try {
                return Ok(answer);
            }
            last_try = true;
        }
    }
}

/// The partner's response, raw and parsed.
struct PartnerResponse {
    raw: Response,
    read: Result<Page, FailedResponse>,
}

impl PartnerResponse {
    fn of(raw: Response, wanted: &Wanted) -> Self {
        Self { read: read_products(raw.status.as_u16(), &raw.body, wanted.page_size()), raw }
    }

    /// The response as a fact; each unreadable product is logged and left out. A busy partner
    /// becomes 503 with the partner's `Retry-After`.
    fn facts(self) -> Result<Result<Page, FailedResponse>, ServiceError> {
        if self.consequence() == Some(FailureClass::Busy) {
            let retry_after_s = self.raw.retry_after_s().unwrap_or(RETRY_AFTER_S).max(1);
            let source = "the partner has too many requests".into();
            return Err(ServiceError::Unavailable { retry_after_s, source });
        }
        for left_out in self.read.iter().flat_map(|page| &page.unreadable) {
            let (place, mistake) = (left_out.place, &left_out.mistake);
            let sku = left_out.sku.as_ref().map(Sku::as_str);
            observe_error("UNREADABLE_RECORD");
            tracing::warn!(
                upstream = PARTNER.name(),
                place,
                sku,
                mistake,
                "unreadable product left out"
            );
        }
        Ok(self.read)
    }

    fn consequence(&self) -> Option<FailureClass> {
        self.read.as_ref().err().map(FailedResponse::consequence)
    }

    /// The status, and the part of the message that the audit record keeps.
    fn said(&self) -> (u16, LoggedMessage) {
        let headers = self.raw.headers.iter();
        let visible =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        (self.raw.status.as_u16(), LoggedMessage::of(visible, &self.raw.body))
    }
}

fn request(wanted: &Wanted) -> Request {
    let Wanted { page, by } = wanted;
    let request = Request::get(PATH)
        .query("page", page.page.unwrap_or(PageNumber::MIN).get())
        .query("page_size", wanted.page_size().get())
        .header("accept-language", by.accept_language.as_str())
        .header("x-partner-id", by.x_partner_id.as_str());
    match &page.category {
        Some(category) => request.query("category", category),
        None => request,
    }
}

/// The partner's health after a call. A missing or unusable response counts against the partner; a
/// fault of ours does not.
fn health(answer: &Result<PartnerResponse, ServiceError>) -> Health {
    match answer {
        Ok(answer) if answer.consequence() == Some(FailureClass::Outage) => Health::Down,
        Err(ServiceError::Upstream(_) | ServiceError::TimedOut) => Health::Down,
        Ok(_) => Health::Up,
        Err(_) => Health::Unknown,
    }
}

/// The end of the call's audit record.
fn ending(
    guarded: &Result<Guarded<Result<PartnerResponse, ServiceError>>, ServiceError>,
) -> Ending {
    let Ok(Guarded { value, took, .. }) = guarded else {
        return Ending { outcome: Outcome::CutOff, answer: None, latency_ms: None };
    };
    let answer = value.as_ref().ok();
    let outcome = match answer.map(PartnerResponse::consequence) {
        Some(None) => Outcome::Answered,
        Some(Some(FailureClass::None | FailureClass::Busy)) => Outcome::Refused,
        Some(Some(_)) | None => Outcome::Failed,
    };
    let latency_ms = u64::try_from(took.as_millis()).ok();
    Ending { outcome, answer: answer.map(PartnerResponse::said), latency_ms }
}

/// Alerts operators to failures that the client did not cause, after the response.
fn tell_operators(moment: &Moment, opened: bool, answer: &Result<PartnerResponse, ServiceError>) {
    let failed = answer.as_ref().ok().and_then(|answer| answer.read.as_ref().err());
    let kind = match failed {
        Some(failed) => failed.kind(),
        None => (health(answer) == Health::Down).then_some(UpstreamFailure::Failed),
    };
    let code = failed.and_then(FailedResponse::code).map(str::to_owned);
    let opening = opened.then_some(UpstreamFailure::CircuitOpened);
    for kind in kind.into_iter().chain(opening) {
        let (upstream, code, at) = (PARTNER.name().to_owned(), code.clone(), moment.now());
        let event = Event::about(PARTNER.name(), &UpstreamFailed { upstream, kind, code, at });
        send_after_response(Message::new(NOTIFICATIONS, event));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::examples::read;
    use http::StatusCode;
    use http::header::RETRY_AFTER;
    use serde_json::json;

    use super::*;

    const PRODUCTS: &str = r#"{"products":[]}"#;
    const NO: &str = r#"{"code":"P01"}"#;
    const NO_CODE: &str = r#"{"message":"no"}"#;
    const ONE_ODD: &str = r#"{"products":[{"sku":"odd"},{"sku":"1","name":"Tea","price":{"amount":1,"currency":"EUR"},"available":true}]}"#;
    const ALL_ODD: &str = r#"{"products":[{"sku":"odd"},null]}"#;

    fn answer(status: StatusCode, body: &str) -> PartnerResponse {
        PartnerResponse::of(Response::made_up(PARTNER, status, body), &wanted())
    }

    fn wanted() -> Wanted {
        let page = Parameters { page: None, page_size: None, category: None };
        let (x_partner_id, accept_language) = (read(json!("acme-7")), read(json!("en")));
        Wanted { page, by: Mandatory { x_partner_id, accept_language } }
    }

    #[test]
    fn only_outages_of_the_partner_count_against_its_health() {
        use Health::{Down, Unknown, Up};
        for (what, answer, expected) in [
            ("products", Ok(answer(StatusCode::OK, PRODUCTS)), Up),
            ("no", Ok(answer(StatusCode::FORBIDDEN, NO)), Up),
            ("a token refused", Ok(answer(StatusCode::UNAUTHORIZED, "")), Up),
            ("no such page", Ok(answer(StatusCode::NOT_FOUND, "")), Up),
            ("a bad request", Ok(answer(StatusCode::BAD_REQUEST, NO_CODE)), Up),
            ("too many requests", Ok(answer(StatusCode::TOO_MANY_REQUESTS, "")), Up),
            ("one odd product", Ok(answer(StatusCode::OK, ONE_ODD)), Up),
            ("odd products alone", Ok(answer(StatusCode::OK, ALL_ODD)), Down),
            ("nonsense", Ok(answer(StatusCode::OK, "{}")), Down),
            ("a failure", Ok(answer(StatusCode::BAD_GATEWAY, "")), Down),
            ("no response", Err(ServiceError::Upstream("".into())), Down),
            ("a late response", Err(ServiceError::TimedOut), Down),
            ("a fault of our own", Err(ServiceError::internal("")), Unknown),
            ("a store of ours that is unavailable", Err(away()), Unknown),
        ] {
            assert_eq!(health(&answer), expected, "{what}");
        }
    }

    fn away() -> ServiceError {
        ServiceError::Unavailable { retry_after_s: 1, source: "unavailable".into() }
    }

    #[test]
    fn a_busy_partner_is_503_with_its_own_retry_after() {
        for (said, told) in [
            (Some("7"), 7),
            (Some("0"), 1),
            (Some("99999999999"), 3600),
            (Some("soon"), RETRY_AFTER_S),
            (None, RETRY_AFTER_S),
        ] {
            let mut busy = answer(StatusCode::TOO_MANY_REQUESTS, NO_CODE);
            busy.raw.headers.extend(said.map(|said| (RETRY_AFTER, said.parse().unwrap())));
            let Err(ServiceError::Unavailable { retry_after_s, .. }) = busy.facts() else {
                panic!("{said:?}: expected 503")
            };
            assert_eq!(retry_after_s, told, "{said:?}");
        }
    }

    #[test]
    fn the_audit_record_ends_with_the_outcome_status_and_latency() {
        for (answer, outcome, status) in [
            (Ok(answer(StatusCode::OK, PRODUCTS)), Outcome::Answered, Some(200)),
            (Ok(answer(StatusCode::FORBIDDEN, NO)), Outcome::Refused, Some(403)),
            (Ok(answer(StatusCode::TOO_MANY_REQUESTS, "")), Outcome::Refused, Some(429)),
            (Ok(answer(StatusCode::UNAUTHORIZED, "")), Outcome::Failed, Some(401)),
            (Ok(answer(StatusCode::BAD_GATEWAY, "")), Outcome::Failed, Some(502)),
            (Err(ServiceError::TimedOut), Outcome::Failed, None),
        ] {
            let took = Duration::from_millis(12);
            let ended = ending(&Ok(Guarded { value: answer, took, opened: false }));
            assert_eq!(ended.outcome, outcome, "{status:?}");
            assert_eq!(ended.answer.map(|(status, _)| status), status, "{outcome:?}");
            assert_eq!(ended.latency_ms, Some(12));
        }
        let cut_off = ending(&Err(ServiceError::internal("cut off")));
        assert_eq!((cut_off.outcome, cut_off.latency_ms), (Outcome::CutOff, None));
    }
}
