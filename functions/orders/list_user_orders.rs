//! `GET /orders/user/{userId}`: a customer's approved orders, by default the newest first, for the
//! customer and administrators.

use aws::{Aws, CURSOR_KEY, Pages, Range};
use domain::orders::{OrderSummary, OrderSummaryView};
use domain::people::{Role, SignedIn, UserId};
use domain::resources::{BY_CUSTOMER, ORDER_SUMMARIES};
use lifecycle::Query;
use lifecycle::paging::Direction;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::serve(build)
}

fn build(aws: &Aws) -> ListUserOrders {
    ListUserOrders { summaries: aws.pages(ListUserOrders::ROUTE) }
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
    const ALLOW: Allow<Self> = Allow::HideUnless(|caller: &SignedIn, wanted: &Wanted, _| {
        caller.is_or_administers(wanted.user_id)
    });

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<Page<OrderSummaryView>>;

    fn reply(page: Page<OrderSummary>) -> reply::Ok<Page<OrderSummaryView>> {
        reply::Ok::of(page.map(|summary| summary.shown))
    }
}

/// The requested page of a customer's orders.
#[derive(Debug)]
struct Wanted {
    user_id: UserId,
    page: PageRequest,
}

impl From<(UserId, PageQuery)> for Wanted {
    fn from((user_id, page): (UserId, PageQuery)) -> Self {
        Self { user_id, page: page.of_list(Direction::Descending) }
    }
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use domain::examples::{ann, approved_order, claims_of, home, moment};
    use domain::orders::{Order, OrderStatus};
    use domain::people::User;
    use lifecycle::Timestamp;
    use lifecycle::testing::{Answer, Memory, Request};

    use super::*;

    #[tokio::test]
    async fn approved_orders_are_listed_newest_first_page_by_page() {
        let memory = orders();
        let request = || Request::new().path("userId", ann().user_id).query("limit", 2);
        let first = list(&memory, request(), &ann()).await;
        assert_eq!((first.status, placed(&first)), (200, vec![4, 3]));
        let cursor = first.json()["nextCursor"].clone();
        let next = request().query("cursor", cursor.as_str().unwrap());
        let second = list(&memory, next.clone(), &ann()).await;
        assert_eq!(placed(&second), [1]);
        assert_eq!(second.json().get("nextCursor"), None, "the last page");
        let turned = list(&memory, next.query("order", "asc"), &ann()).await;
        assert_eq!(turned.status, 400, "a cursor of the other order");
    }

    #[tokio::test]
    async fn the_orders_of_another_user_are_404() {
        let other = User { user_id: moment().id("other").into(), ..ann() };
        let request = Request::new().path("userId", ann().user_id);
        assert_eq!(list(&orders(), request, &other).await.status, 404);
    }

    async fn list(memory: &Memory, request: Request, caller: &User) -> Answer {
        InMemory::new(memory).endpoint(build).ask(&request.by(claims_of(caller))).await
    }

    /// When the listed orders were placed, in seconds after [`moment`].
    fn placed(answer: &Answer) -> Vec<i64> {
        let answer = answer.json();
        let orders = answer["data"].as_array().unwrap().iter();
        let placed = orders.map(|order| order["createdAt"].as_str().unwrap().parse().unwrap());
        placed.map(|at: Timestamp| at.as_seconds() - moment().now().as_seconds()).collect()
    }

    /// Four of Ann's orders. The one of second 2 is cancelled.
    fn orders() -> Memory {
        let memory = Memory::new();
        for second in 1..=4 {
            let cancelled = second == 2;
            let status = if cancelled { OrderStatus::Cancelled } else { OrderStatus::Approved };
            let order_id = moment().id(&second.to_string()).into();
            let created_at = moment().now().plus_seconds(second);
            let order = Order { order_id, created_at, status, ..approved_order() };
            memory.put(&OrderSummary::of(&order, Some(&ann()), &home()).unwrap());
        }
        memory
    }
}
