//! `rebuild-projection`: rebuilds the read model of customers' orders from the write model.
//!
//! It may run while orders are placed, approved and deleted: nothing newer is overwritten. It may
//! be interrupted and run again.

use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use aws::Looked;
use aws::admin::{Operator, Segment};
use domain::orders::{Order, OrderSummary};
use domain::people::{Address, User};
use domain::resources::{ADDRESSES, ORDER_SUMMARIES, ORDERS, USERS};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use lifecycle::ServiceError;
use lifecycle::effects::Write;
use lifecycle::error::BoxError;
use lifecycle::resource::Resource;
use operations::{Say, patiently};

pub(crate) const RESOURCES: &[Resource] = &[
    Resource::Table(ORDERS, &[]),
    Resource::Table(ORDER_SUMMARIES, &[]),
    Resource::Table(USERS, &[]),
    Resource::Table(ADDRESSES, &[]),
];

/// The number of segments of a table that are read in parallel.
const SEGMENTS: u16 = 4;
/// Orders per batch: the keys of their customers and addresses fit into one call.
const ORDERS_AT_ONCE: usize = 50;
/// Concurrent writes of each segment.
const WRITES_AT_ONCE: usize = 8;

pub(crate) async fn run(operator: &Operator, say: Say<'_>) -> Result<(), BoxError> {
    let rebuild = Rebuild { operator, say, counts: Counts::default() };
    let segments = || (0..SEGMENTS).map(|number| Segment { number, of: SEGMENTS });
    try_join_all(segments().map(|segment| rebuild.project_orders(segment))).await?;
    try_join_all(segments().map(|segment| rebuild.remove_strays(segment))).await?;
    say(&format!("done: {}", rebuild.counts.told()));
    match rebuild.counts.left.load(Relaxed) {
        0 => Ok(()),
        left => Err(format!("{left} orders are left out").into()),
    }
}

struct Rebuild<'a> {
    operator: &'a Operator,
    say: Say<'a>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    orders: AtomicUsize,
    written: AtomicUsize,
    newer: AtomicUsize,
    left: AtomicUsize,
    summaries: AtomicUsize,
    strays: AtomicUsize,
}

impl Counts {
    fn told(&self) -> String {
        let Self { orders, written, newer, summaries, strays, .. } = self;
        let [orders, written, newer, summaries, strays] =
            [orders, written, newer, summaries, strays].map(|count| count.load(Relaxed));
        format!(
            "{orders} orders read, {written} summaries written or removed, {newer} kept because they \
             are newer; {summaries} summaries checked, {strays} without an order removed"
        )
    }
}

impl Rebuild<'_> {
    /// Stores the summaries of a segment's orders.
    async fn project_orders(&self, segment: Segment) -> Result<(), ServiceError> {
        let mut next = None;
        loop {
            let scan = async || self.operator.scan::<Order>(segment, next.as_ref()).await;
            let page = patiently(scan, || ()).await?;
            for key in &page.unreadable {
                self.left_out(&key.pk, "it cannot be read");
            }
            for orders in page.records.chunks(ORDERS_AT_ONCE) {
                let writes = patiently(async || self.writes_for(orders).await, || ()).await?;
                let results = stream::iter(writes).map(|write| self.write(write));
                let stored: Vec<bool> =
                    results.buffer_unordered(WRITES_AT_ONCE).try_collect().await?;
                let written = stored.iter().filter(|stored| **stored).count();
                self.counts.orders.fetch_add(orders.len(), Relaxed);
                self.counts.written.fetch_add(written, Relaxed);
                self.counts.newer.fetch_add(stored.len() - written, Relaxed);
                (self.say)(&self.counts.told());
            }
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    /// The writes that store the summaries of listed orders, and remove all others.
    async fn writes_for(&self, orders: &[Order]) -> Result<Vec<Write>, ServiceError> {
        let customers = orders.iter().map(|order| User::key_of(order.user_id));
        let customers = self.operator.table::<User>().many(customers).each();
        let addresses = orders.iter().map(|order| Address::key_of(order.address_id));
        let addresses = self.operator.table::<Address>().many(addresses).each();
        let (customers, addresses) = self.operator.together((customers, addresses)).await?;
        let mut writes = Vec::new();
        for ((order, customer), address) in orders.iter().zip(customers).zip(addresses) {
            let customer = match customer {
                Looked::Nothing => None,
                Looked::Record(customer) => Some(customer),
                Looked::Unreadable => {
                    self.left_out(order.order_id, "its customer cannot be read");
                    continue;
                }
            };
            let Looked::Record(address) = address else {
                self.left_out(order.order_id, "its address is missing or cannot be read");
                continue;
            };
            let summary = OrderSummary::of(order, customer.as_ref(), &address);
            writes.push(
                summary.map_or_else(|| OrderSummary::remove(order), |summary| summary.restore()),
            );
        }
        Ok(writes)
    }

    fn left_out(&self, order: impl Display, why: &str) {
        self.counts.left.fetch_add(1, Relaxed);
        (self.say)(&format!("order {order} is left out: {why}"));
    }

    /// Writes, also after a function's transaction on the same item.
    async fn write(&self, write: Write) -> Result<bool, ServiceError> {
        patiently(async || self.operator.write(write.clone()).await, || ()).await
    }

    /// The orders of these summaries, in the same order.
    async fn orders_of(
        &self,
        summaries: &[OrderSummary],
    ) -> Result<Vec<Looked<Order>>, ServiceError> {
        let keys = summaries.iter().map(|summary| Order::key_of(summary.shown.order_id));
        self.operator.together(self.operator.table::<Order>().many(keys).each()).await
    }

    /// Removes the summaries of a segment whose orders do not exist.
    async fn remove_strays(&self, segment: Segment) -> Result<(), ServiceError> {
        let mut next = None;
        loop {
            let scan = async || self.operator.scan::<OrderSummary>(segment, next.as_ref()).await;
            let page = patiently(scan, || ()).await?;
            let orders = patiently(async || self.orders_of(&page.records).await, || ()).await?;
            // An unreadable order exists, so its summary stays.
            let strays = page.records.iter().zip(orders);
            let strays = strays.filter(|(_, order)| matches!(order, Looked::Nothing));
            for (stray, _) in strays {
                let key = OrderSummary::key_of(stray.shown.order_id);
                self.write(Write::delete::<OrderSummary>(key)).await?;
                self.counts.strays.fetch_add(1, Relaxed);
            }
            self.counts.summaries.fetch_add(page.records.len(), Relaxed);
            (self.say)(&self.counts.told());
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }
}
