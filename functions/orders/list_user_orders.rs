//! `GET /orders/user/{userId}`: a customer's approved orders, by default the newest first, for the
//! customer and administrators.

use aws::{CURSOR_KEY, Pages, Range};
use domain::orders::{OrderSummary, OrderSummaryView};
use domain::people::{Role, SignedIn, UserId};
use domain::resources::{BY_CUSTOMER, ORDER_SUMMARIES};
use lifecycle::Query;
use lifecycle::paging::Direction;
use lifecycle::prelude::*;

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

    const RESOURCES: Resources =
        &[Resource::Index(ORDER_SUMMARIES, BY_CUSTOMER), Resource::Secret(CURSOR_KEY)];

    // 4. Deserialisation
    type Input = (Path<UserId>, QueryString<PageQuery>);

    // 5. Syntax validation
    type Command = Wanted;

    // 6. Retrieval: from the projection, which holds only approved orders
    type Facts = Page<OrderSummary>;

    async fn retrieve(
        &self,
        permit: &Permit<SignedIn>,
        Wanted { user_id, page }: &Wanted,
    ) -> Retrieved<Page<OrderSummary>> {
        self.summaries.page(permit, Range::of(BY_CUSTOMER, user_id), page).await
    }

    // 3b. Authorization: the orders and the existence of other users are hidden
    const ALLOW: Allow<Self> = Allow::If(|caller: &SignedIn, wanted: &Wanted, _| {
        Verdict::allow_or_hide(caller.is_or_administers(wanted.user_id))
    });

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<Page<OrderSummaryView>>;

    fn reply(page: Page<OrderSummary>) -> reply::Ok<Page<OrderSummaryView>> {
        reply::Ok::of(page.map(|summary| summary.shown))
    }
}

/// The requested page of a customer's orders.
struct Wanted {
    user_id: UserId,
    page: PageRequest,
}

impl From<(UserId, PageQuery)> for Wanted {
    fn from((user_id, page): (UserId, PageQuery)) -> Self {
        Self { user_id, page: page.of_list(Direction::Descending) }
    }
}
