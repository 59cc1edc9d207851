//! `history`: an order with its mail and its events in the outbox, its credit reservation, and its
//! place in the projection.

use aws::Range;
use aws::admin::Operator;
use domain::credit::Reservation;
use domain::orders::{Order, OrderId, OrderSummary};
use domain::resources::{CREDITS, EMAILS, ORDER_SUMMARIES, ORDERS};
use lifecycle::commit::{OUTBOX, OutboxRow};
use lifecycle::consumer::inbox_key;
use lifecycle::error::BoxError;
use lifecycle::idempotency::IDEMPOTENCY_KEYS;
use lifecycle::record::Record;
use lifecycle::resource::Resource;
use operations::Say;

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::Table(ORDERS, &[]),
    Resource::Table(ORDER_SUMMARIES, &[]),
    Resource::Table(CREDITS, &[]),
    Resource::Table(OUTBOX, &[]),
    Resource::Table(IDEMPOTENCY_KEYS, &[]),
];

/// More than an order ever has: a handful of events.
const EVENTS_MAX: usize = 100;

pub(crate) fn order_id(text: &str) -> Result<OrderId, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

pub(crate) async fn run(
    operator: &Operator,
    order_id: OrderId,
    say: Say<'_>,
) -> Result<(), BoxError> {
    let order = operator.table::<Order>().one(Order::key_of(order_id));
    let summary = operator.table::<OrderSummary>().one(OrderSummary::key_of(order_id));
    let reservation = operator.table::<Reservation>().one(Reservation::key_of(order_id));
    let (order, summary, reservation) = operator.together((order, summary, reservation)).await?;
    let order = order.ok_or_else(|| format!("there is no order {order_id}"))?;
    say(&format!("order       {}", serde_json::to_string(&order)?));
    tell_mail(operator, &order, say).await?;
    tell_events(operator, order_id, say).await?;
    match reservation {
        None => say("credit      none reserved"),
        Some(reservation) => say(&format!("credit      {}", serde_json::to_string(&reservation)?)),
    }
    match summary {
        None => say("projection  none"),
        Some(summary) => {
            let found = if summary.indexed().is_empty() { "not listed" } else { "listed" };
            say(&format!("projection  {found}, of version {}", summary.version));
        }
    }
    Ok(())
}

/// Prints the event that the order carries, and whether its mail was handled. The reservation shows
/// whether the customer service had it.
async fn tell_mail(operator: &Operator, order: &Order, say: Say<'_>) -> Result<(), BoxError> {
    let Some(event_id) = &order.created_event_id else { return Ok(()) };
    let handled = operator.has(IDEMPOTENCY_KEYS, &inbox_key(EMAILS.name(), event_id)).await?;
    let handled = if handled { "handled" } else { "not handled" };
    say(&format!("event       {} OrderCreated {event_id}, with the order", order.created_at));
    say(&format!("            {}: {handled}", EMAILS.name()));
    Ok(())
}

/// Prints the events of the outbox.
async fn tell_events(operator: &Operator, order_id: OrderId, say: Say<'_>) -> Result<(), BoxError> {
    let found = operator.first_of(&Range::partition(order_id), EVENTS_MAX).await?;
    let mut rows: Vec<OutboxRow> = found.into_iter().map(|found| found.record).collect();
    rows.sort_by_key(|row| row.envelope.occurred_at);
    for row in rows {
        let envelope = &row.envelope;
        let relayed = row
            .relayed_at
            .map_or("waits to be relayed".to_owned(), |at| format!("relayed at {at}"));
        say(&format!(
            "event       {} {} {}, request {}, {relayed}",
            envelope.occurred_at, envelope.event_type, envelope.event_id, envelope.request_id
        ));
    }
    Ok(())
}
