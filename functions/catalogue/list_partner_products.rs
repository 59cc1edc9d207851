//! `GET /partner/products`: a partner's catalogue, through a circuit breaker and with an audit
//! record of each call.

use aws::upstream::{CIRCUITS, CallCause, GuardedClient, Request, Response, TOKENS};
use domain::communications::UpstreamCall;
use domain::error_codes;
use domain::partner::{
    FailedResponse, Page, PageNumber, PageSize, PartnerHeaders, PartnerProduct, ProductQuery, Sku,
    Unreadable, read_products,
};
use domain::resources::{COMMUNICATIONS, NOTIFICATIONS, PARTNER};
use lifecycle::Endpoint;
use lifecycle::prelude::*;
use lifecycle::telemetry::observe_error;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| ListPartnerProducts { partner: aws.guarded_client(PARTNER, CREDENTIALS) })
}

struct ListPartnerProducts {
    partner: GuardedClient<UpstreamCall>,
}

/// The secret with the credentials for the partner.
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

    const RESOURCES: Resources = &[
        Resource::Table(COMMUNICATIONS, &[PutItem]),
        Resource::Table(CIRCUITS, &[GetItem, PutItem]),
        Resource::Table(TOKENS, &[GetItem, PutItem, DeleteItem]),
        Resource::Secret(CREDENTIALS),
        Resource::Upstream(PARTNER),
        Resource::Queue(NOTIFICATIONS),
    ];

    // 4. Deserialisation
    type Input = (QueryString<ProductQuery>, Headers<PartnerHeaders>);

    // 5. Syntax validation
    type Command = (ProductQuery, PartnerHeaders);

    // 6. Retrieval: the partner's response, with an audit record before and after the call. The
    // partner's refusal is a fact like any other, unless the partner is busy.
    type Facts = Result<Page, FailedResponse>;

    async fn retrieve(
        &self,
        permit: &Permit<Anyone>,
        (wanted, by): &Self::Command,
    ) -> Retrieved<Self::Facts> {
        let cause = CallCause { who: by.x_partner_id.as_str(), route: Self::ROUTE };
        let size = wanted.page_size.unwrap_or_default();
        let read =
            |response: &Response| read_products(response.status.as_u16(), &response.body, size);
        let answer = self.partner.call(permit, cause, &request(wanted, size, by), read).await?;
        if let Ok(page) = &answer {
            report(&page.unreadable);
        }
        Ok(answer)
    }

    // 3b. Authorization: the catalogue is public
    const ALLOW: Allow<Self> = Allow::Always;

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
        _: &Self::Command,
        answer: Self::Facts,
    ) -> Result<Vec<PartnerProduct>, DomainError> {
        answer.map(|page| page.products).map_err(|failed| failed.rejection())
    }

    // 8. Side effects: none; audit records and alerts do not depend on success
    fn effects(_: &Vec<PartnerProduct>) -> Effects {
        Effects::none()
    }

    // 9. Response
    type Reply = reply::Ok<Vec<PartnerProduct>>;

    fn reply(products: Vec<PartnerProduct>) -> reply::Ok<Vec<PartnerProduct>> {
        reply::Ok::of(products)
    }
}

fn request(wanted: &ProductQuery, size: PageSize, by: &PartnerHeaders) -> Request {
    let request = Request::get(PATH)
        .query("page", wanted.page.unwrap_or(PageNumber::MIN).get())
        .query("page_size", size.get())
        .header("accept-language", by.accept_language.as_str())
        .header("x-partner-id", by.x_partner_id.as_str());
    match &wanted.category {
        Some(category) => request.query("category", category),
        None => request,
    }
}

/// Logs and counts the products that could not be read and are left out.
fn report(left_out: &[Unreadable]) {
    for Unreadable { place, sku, mistake } in left_out {
        let (upstream, sku) = (PARTNER.name(), sku.as_ref().map(Sku::as_str));
        observe_error("UNREADABLE_RECORD");
        tracing::warn!(upstream, place, sku, mistake, "unreadable product left out");
    }
}
