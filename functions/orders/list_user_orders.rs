//! `GET /orders/user/{userId}`: a customer's approved orders, by default the newest first, for the
//! customer and administrators.

use std::process::ExitCode;

use aws::{CURSOR_KEY, Pages, Range};
use domain::orders::{OrderSummary, OrderSummaryView};
use domain::people::{Role, SignedIn, UserId};
use domain::resources::{BY_CUSTOMER, ORDER_SUMMARIES};
use lifecycle::input::{Path, QueryString};
use lifecycle::paging::{Direction, PageQuery, PageRequest};
use lifecycle::reply::Page;
use lifecycle::resource::Resource;
use lifecycle::{Access, FieldErrors, Permit, Query, Reply, RetrieveError, Route, Verdict};
use schemars::JsonSchema;

fn main() -> ExitCode {
    aws::serve(|aws| ListUserOrders { summaries: aws.pages(ListUserOrders::ROUTE) })
}

struct ListUserOrders {
    summaries: Pages<OrderSummary>,
}

impl Query for ListUserOrders {
    // 1. Routing
    const ROUTE: Route = Route::get("/orders/user/{userId}");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::SignedIn;

    const RESOURCES: &'static [Resource] =
        &[Resource::Index(ORDER_SUMMARIES, BY_CUSTOMER), Resource::Secret(CURSOR_KEY)];

    // 4. Deserialisation
    type Input = (Path<Parameters>, QueryString<PageQuery>);

    // 5. Syntax validation
    type Command = (UserId, PageRequest);

    fn parse(
        (Path(parameters), QueryString(page)): Self::Input,
    ) -> Result<(UserId, PageRequest), FieldErrors> {
        Ok((parameters.user_id, page.of_list(Direction::Descending)))
    }

    // 6. Retrieval: from the projection, which holds only approved orders
    type Facts = Page<OrderSummary>;

    async fn retrieve(
        &self,
        permit: &Permit<SignedIn>,
        (user_id, page): &(UserId, PageRequest),
    ) -> Result<Page<OrderSummary>, RetrieveError> {
        self.summaries.page(permit, Range::of(BY_CUSTOMER, user_id), page).await
    }

    // 3b. Authorization: the orders and the existence of other users are hidden
    fn allow(
        caller: &SignedIn,
        (user_id, _): &(UserId, PageRequest),
        _: &Page<OrderSummary>,
    ) -> Verdict {
        Verdict::allow_or_hide(caller.is_or_administers(*user_id))
    }

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type View = Page<OrderSummaryView>;

    fn reply(page: Page<OrderSummary>) -> Reply<Page<OrderSummaryView>> {
        Reply::ok(page.map(|summary| summary.shown))
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    user_id: UserId,
}
