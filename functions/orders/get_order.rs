//! `GET /orders/{orderId}`: an order, shown to its customer and to administrators.

use std::process::ExitCode;

use aws::{OrNotFound, Table};
use domain::orders::{Order, OrderId, OrderView};
use domain::people::{Role, SignedIn};
use domain::resources::ORDERS;
use lifecycle::input::Path;
use lifecycle::resource::{Action, Resource};
use lifecycle::{Access, FieldErrors, Permit, Query, Reply, RetrieveError, Route, Verdict};
use schemars::JsonSchema;

fn main() -> ExitCode {
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

    const RESOURCES: &'static [Resource] = &[Resource::Table(ORDERS, &[Action::GetItem])];

    // 4. Deserialisation
    type Input = Path<Parameters>;

    // 5. Syntax validation
    type Command = OrderId;

    fn parse(Path(parameters): Path<Parameters>) -> Result<OrderId, FieldErrors> {
        Ok(parameters.order_id)
    }

    // 6. Retrieval
    type Facts = Order;

    async fn retrieve(
        &self,
        permit: &Permit<SignedIn>,
        order_id: &OrderId,
    ) -> Result<Order, RetrieveError> {
        self.orders.get(permit, &Order::key_of(*order_id)).await?.or_not_found()
    }

    // 3b. Authorization: orders of other customers are hidden
    fn allow(caller: &SignedIn, _: &OrderId, order: &Order) -> Verdict {
        Verdict::allow_or_hide(caller.is_or_administers(order.user_id))
    }

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response
    type View = OrderView;

    fn reply(order: Order) -> Reply<OrderView> {
        let tag = order.entity_tag();
        Reply::ok(order.into()).tagged(tag)
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    order_id: OrderId,
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
            assert_eq!(GetOrder::allow(&caller, &order.order_id, &order), verdict, "{caller:?}");
        }
    }
}
