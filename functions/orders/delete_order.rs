//! `DELETE /orders/{orderId}`: a customer cancels an approved order.

use aws::{OrNotFound, Table};
use domain::error_codes;
use domain::orders::{Order, OrderChange, OrderId, OrderStatus, Transition, TransitionResult};
use domain::people::{Role, SignedIn};
use domain::resources::{ORDERS, PRODUCTS};
use lifecycle::Endpoint;
use lifecycle::prelude::*;

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| DeleteOrder { orders: aws.table() })
}

struct DeleteOrder {
    orders: Table<Order>,
}

impl Endpoint for DeleteOrder {
    // 1. Routing
    const ROUTE: Route = Route::delete("/orders/{orderId}");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::SignedIn;

    const RESOURCES: Resources = &[
        Resource::Table(ORDERS, &[GetItem, PutItem]),
        Resource::Table(PRODUCTS, &[UpdateItem]),
        Resource::Outbox,
    ];

    // 4. Deserialisation
    type Input = Path<OrderId>;

    // 5. Syntax validation
    type Command = OrderId;

    // 6. Retrieval: a cancelled order counts as missing
    type Facts = Order;

    async fn retrieve(&self, permit: &Permit<SignedIn>, order_id: &OrderId) -> Retrieved<Order> {
        let order = self.orders.get(permit, &Order::key_of(*order_id)).await?;
        order.filter(|order| order.status != OrderStatus::Cancelled).or_not_found()
    }

    // 3b. Authorization: orders of other customers are hidden
    const ALLOW: Allow<Self> = Allow::HideUnless(|caller: &SignedIn, _, order: &Order| {
        caller.is_or_administers(order.user_id)
    });

    const CONDITIONS: Conditions<Order> = Conditions::On(|order| Some(order.entity_tag()));

    // 7. Business rules
    type Outcome = OrderChange;
    const ERRORS: &'static [ErrorCode] = &[error_codes::ORDER_PENDING, error_codes::ORDER_CLOSED];

    fn decide(
        moment: &Moment,
        _: &SignedIn,
        _: &OrderId,
        order: Order,
    ) -> Result<OrderChange, DomainError> {
        let pending = order.status == OrderStatus::Pending;
        match order.after(Transition::Cancel, moment.now()) {
            TransitionResult::Changed(change) => Ok(change),
            _ if pending => Err(error_codes::ORDER_PENDING.into()),
            _ => Err(error_codes::ORDER_CLOSED.into()),
        }
    }

    // 8. Side effects: the order, the stock it returns and `OrderDeleted`, in one commit
    fn effects(change: &OrderChange) -> Effects {
        change.effects()
    }

    // 9. Response
    type Reply = reply::NoContent;

    fn reply(_: OrderChange) -> reply::NoContent {
        reply::NoContent
    }
}

#[cfg(test)]
mod tests {
    use domain::examples::{ann, moment, pending_order, signed_in};
    use domain::people::UserId;

    use super::*;

    #[test]
    fn an_approved_order_is_cancelled_and_its_stock_returned_in_one_commit() {
        let effects = DeleteOrder::effects(&delete(OrderStatus::Approved).unwrap());
        let tables: Vec<_> = effects.writes().iter().map(|write| write.table).collect();
        assert_eq!(tables, [ORDERS, PRODUCTS]);
        assert_eq!(effects.events()[0].event_type, "OrderDeleted");
    }

    #[test]
    fn cancelling_a_pending_or_a_closed_order_is_409() {
        for (status, code) in [
            (OrderStatus::Pending, "ORDER_PENDING"),
            (OrderStatus::Rejected, "ORDER_CLOSED"),
            (OrderStatus::TimedOut, "ORDER_CLOSED"),
        ] {
            assert_eq!(delete(status).unwrap_err().code, code);
        }
    }

    #[test]
    fn an_order_is_cancelled_only_by_its_customer_or_an_administrator() {
        let other = UserId::from(uuid::Uuid::nil());
        for (caller, verdict) in [
            (signed_in(ann().user_id, &[Role::Customer]), Verdict::Allow),
            (signed_in(other, &[Role::Admin]), Verdict::Allow),
            (signed_in(other, &[Role::Customer, Role::Merchant]), Verdict::Hide),
        ] {
            let order = pending_order();
            assert_eq!(
                DeleteOrder::ALLOW.verdict(&caller, &order.order_id, &order),
                verdict,
                "{caller:?}"
            );
        }
    }

    fn delete(status: OrderStatus) -> Result<OrderChange, DomainError> {
        let order = Order { status, ..pending_order() };
        let caller = signed_in(order.user_id, &[Role::Customer]);
        DeleteOrder::decide(&moment(), &caller, &order.order_id.clone(), order)
    }
}
