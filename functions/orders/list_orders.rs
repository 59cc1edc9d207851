//! `GET /orders`: all orders, by default the newest first, for administrators.

use aws::{CURSOR_KEY, Pages, Range};
use domain::orders::{Order, OrderView};
use domain::people::{Role, SignedIn};
use domain::resources::{BY_CREATION, ORDERS};
use lifecycle::Query;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| ListOrders { orders: aws.pages(ListOrders::ROUTE) })
}

struct ListOrders {
    orders: Pages<Order>,
}

impl Query for ListOrders {
    // 1. Routing
    const ROUTE: Route = Route::get("/orders");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Admin]);

    const RESOURCES: Resources =
        &[Resource::Index(ORDERS, BY_CREATION), Resource::Secret(CURSOR_KEY)];

    // 4. Deserialisation
    type Input = QueryString<PageQuery>;

    // 5. Syntax validation
    type Command = NewestFirst;

    // 6. Retrieval
    type Facts = Page<Order>;

    async fn retrieve(
        &self,
        permit: &Permit<SignedIn>,
        NewestFirst(page): &NewestFirst,
    ) -> Retrieved<Page<Order>> {
        self.orders.page(permit, Range::sharded(BY_CREATION), page).await
    }

    // 3b. Authorization: administrators see every order
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<Page<OrderView>>;

    fn reply(page: Page<Order>) -> reply::Ok<Page<OrderView>> {
        reply::Ok::of(page.map(OrderView::from))
    }
}
