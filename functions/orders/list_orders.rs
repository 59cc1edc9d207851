//! `GET /orders`: all orders, by default the newest first, for administrators.

use std::process::ExitCode;

use aws::{CURSOR_KEY, Pages, Range};
use domain::orders::{Order, OrderView};
use domain::people::{Role, SignedIn};
use domain::resources::{BY_CREATION, ORDERS};
use lifecycle::input::QueryString;
use lifecycle::paging::{Direction, PageQuery, PageRequest};
use lifecycle::reply::Page;
use lifecycle::resource::Resource;
use lifecycle::{Access, FieldErrors, Permit, Query, Reply, RetrieveError, Route, Verdict};

fn main() -> ExitCode {
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

    const RESOURCES: &'static [Resource] =
        &[Resource::Index(ORDERS, BY_CREATION), Resource::Secret(CURSOR_KEY)];

    // 4. Deserialisation
    type Input = QueryString<PageQuery>;

    // 5. Syntax validation
    type Command = PageRequest;

    fn parse(QueryString(page): QueryString<PageQuery>) -> Result<PageRequest, FieldErrors> {
        Ok(page.of_list(Direction::Descending))
    }

    // 6. Retrieval
    type Facts = Page<Order>;

    async fn retrieve(
        &self,
        permit: &Permit<SignedIn>,
        page: &PageRequest,
    ) -> Result<Page<Order>, RetrieveError> {
        self.orders.page(permit, Range::sharded(BY_CREATION), page).await
    }

    // 3b. Authorization: administrators see every order
    fn allow(_: &SignedIn, _: &PageRequest, _: &Page<Order>) -> Verdict {
        Verdict::Allow
    }

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type View = Page<OrderView>;

    fn reply(page: Page<Order>) -> Reply<Page<OrderView>> {
        Reply::ok(page.map(OrderView::from))
    }
}
