//! `GET /orders/{orderId}`: an order, shown to its customer and to administrators.

use aws::{OrNotFound, Table};
use domain::orders::{Order, OrderId, OrderView};
use domain::people::{Role, SignedIn};
use domain::resources::ORDERS;
use lifecycle::Query;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| GetOrder { orders: aws.table() })
}

struct GetOrder {
    orders: Table<Order>,
}

impl Query for GetOrder {
    // 1. Routing
    const ROUTE: Route = Route::get("/orders/{orderId}");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::SignedIn;

    const RESOURCES: Resources = &[Resource::Table(ORDERS, &[GetItem])];

    // 4. Deserialisation
    type Input = Path<OrderId>;

    // 5. Syntax validation
    type Command = OrderId;

    // 6. Retrieval
    type Facts = Order;

    async fn retrieve(&self, permit: &Permit<SignedIn>, order_id: &OrderId) -> Retrieved<Order> {
        self.orders.get(permit, &Order::key_of(*order_id)).await?.or_not_found()
    }

    // 3b. Authorization: orders of other customers are hidden
    const ALLOW: Allow<Self> = Allow::HideUnless(|caller: &SignedIn, _, order: &Order| {
        caller.is_or_administers(order.user_id)
    });

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type Reply = reply::Ok<OrderView>;

    fn reply(order: Order) -> reply::Ok<OrderView> {
        let tag = order.entity_tag();
        reply::Ok::of(order.into()).tagged(tag)
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{pending_order, signed_in};
    use domain::people::UserId;

    use super::*;

    #[test]
    fn an_order_is_hidden_from_all_but_its_customer_and_administrators() {
        let order = pending_order();
        let other = UserId::from(uuid::Uuid::nil());
        for (caller, verdict) in [
            (signed_in(order.user_id, &[Role::Customer]), Verdict::Allow),
            (signed_in(other, &[Role::Admin]), Verdict::Allow),
            (signed_in(other, &[Role::Customer, Role::Merchant, Role::Editor]), Verdict::Hide),
        ] {
            assert_eq!(
                GetOrder::ALLOW.verdict(&caller, &order.order_id, &order),
                verdict,
                "{caller:?}"
            );
        }
    }
}
