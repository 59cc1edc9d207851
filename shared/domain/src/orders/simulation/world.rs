//! The simulated system: a store, queues that deliver any message at any time, and work that has
//! read its facts and has not committed yet.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use lifecycle::effects::{Content, Effects, Event, EventData, QueueName, Write};
use lifecycle::record::Record;
use lifecycle::{Moment, Timestamp};
use uuid::Uuid;

use super::sim_event::SimEvent;
use super::store::Store;
use crate::catalogue::{
    Amount, Currency, Money, OfferedProduct, Product, StockPart, StockedProduct, Supply, Taken,
    take_pieces,
};
use crate::credit::{
    Charge, CreditAccount, CreditFacts, Reservation, ReservationStatus, release, reserve,
};
use crate::events::{messages_about, subscribers};
use crate::examples::{home, lamp, moment, pending_order, read};
use crate::orders::{
    CreditOutcome, CreditResult, CustomerDecided, Delivery, Order, OrderCreated, OrderId,
    OrderLine, OrderOverdue, OrderStatus, OrderSummary, SerialNumber, SerialNumbers, SettleFacts,
    TakenFrom, Transition, TransitionResult, settle, takes_number,
};
use crate::resources::{CUSTOMER_APPROVALS, CUSTOMER_SAGA};

/// The pieces in stock: some are in parts, and the rest in the product.
const STOCK: i64 = 14;
const PARTS: u16 = 3;
/// The price of one piece.
const PRICE: i64 = 100;
/// The open credit of a customer: five pieces.
const OPEN_CREDIT: i64 = 500;
/// The time from an order to its deadline, in seconds.
const WAITS_S: i64 = 60;

pub(super) struct Simulation {
    store: Store,
    now: Timestamp,
    orders: Vec<OrderId>,
    /// Orders with a decision that was sent by hand.
    meddled: BTreeSet<OrderId>,
    /// All messages that were ever sent. Each may be delivered at any time, and repeatedly.
    messages: Vec<(QueueName, Event)>,
    under_way: Vec<(Work, Effects)>,
    /// The ids of orders whose release the customer service has processed.
    released: BTreeSet<String>,
    events: BTreeMap<(String, &'static str), usize>,
    /// The decisions of the customer service.
    decisions: BTreeMap<OrderId, CreditOutcome>,
    numbers: Vec<SerialNumber>,
    /// The last position before this world, and the last one that was taken.
    first_position: u64,
    last_position: Cell<u64>,
}

/// The work of one invocation.
#[derive(Debug, Clone, Copy)]
enum Work {
    Consume(usize),
    Cancel(OrderId),
}

impl Simulation {
    pub(super) fn new(last_position: u64) -> Self {
        let product = Product { stock: STOCK.try_into().unwrap(), ..lamp() };
        let StockedProduct { product, parts } = StockedProduct::split(product, PARTS);
        let mut store = Store::default();
        let parts = parts.iter().map(Write::create);
        assert!(store.commit(&parts.chain([Write::create(&product)]).collect::<Vec<_>>()));
        Self {
            store,
            now: moment().now(),
            orders: Vec::new(),
            meddled: BTreeSet::new(),
            messages: Vec::new(),
            under_way: Vec::new(),
            released: BTreeSet::new(),
            events: BTreeMap::new(),
            decisions: BTreeMap::new(),
            numbers: Vec::new(),
            first_position: last_position,
            last_position: Cell::new(last_position),
        }
    }

    pub(super) fn meet(&mut self, happening: &SimEvent) {
        match *happening {
            SimEvent::Order { customer, quantity } => self.order(customer, quantity),
            SimEvent::Cancel(at) => {
                if let Some(at) = within(at, self.orders.len()) {
                    self.begin(Work::Cancel(self.orders[at]));
                }
            }
            SimEvent::Deliver(at) => {
                if let Some(at) = within(at, self.messages.len()) {
                    self.begin(Work::Consume(at));
                }
            }
            SimEvent::Commit(at) => {
                if let Some(at) = within(at, self.under_way.len()) {
                    let (work, effects) = self.under_way.swap_remove(at);
                    self.finish(work, effects);
                }
            }
            SimEvent::Crash(at) => {
                if let Some(at) = within(at, self.under_way.len()) {
                    self.under_way.swap_remove(at);
                }
            }
            SimEvent::Decided(at, order_type) => {
                if let Some(at) = within(at, self.orders.len()) {
                    let order_id = self.orders[at];
                    self.meddled.insert(order_id);
                    let decided =
                        CustomerDecided(CreditResult { order_id, order_type, user_id: None });
                    self.messages.push((CUSTOMER_SAGA, Event::about(order_id, &decided)));
                }
            }
            SimEvent::Wait(seconds) => self.now = self.now.plus_seconds(seconds),
            SimEvent::Expire => self.expire(),
        }
    }

    fn order(&mut self, customer: usize, quantity: i64) {
        let example = pending_order();
        let amount = Amount::of_minor_units(quantity * PRICE);
        let line = OrderLine { quantity: quantity.try_into().unwrap(), ..example.items[0].clone() };
        let Some(taken) = self.take(quantity) else { return };
        let part = taken.part.map(|part| TakenFrom { product_id: line.product_id, part });
        let order = Order {
            order_id: Uuid::from_u128(self.orders.len() as u128).into(),
            user_id: Uuid::from_u128(customer as u128).into(),
            items: vec![line],
            taken_from: part.into_iter().collect(),
            total: Money { amount, currency: Currency::EUR },
            settle_by: self.now.plus_seconds(WAITS_S),
            ..example
        };
        let effects = Effects::none()
            .write(Write::create(&order))
            .writes_of(taken.writes)
            .announce_all(messages_about(&order.created_event()));
        if self.commit(&effects) {
            self.orders.push(order.order_id);
        }
    }

    /// The pieces that a new order takes out of stock, if there are enough. It reads all parts only
    /// if it has to.
    fn take(&self, quantity: i64) -> Option<Taken> {
        let product: Product = self.store.get(&lamp().key()).unwrap();
        let product = OfferedProduct::from(product);
        let seed = [u8::try_from(self.orders.len() % 256).unwrap(); 32];
        let supply = Supply::of(&product, &Moment::new(self.now, seed)).unwrap();
        let preferred = self.store.get(&supply.preferred_key());
        let mut supply = supply.with_one(preferred);
        if supply.needs_all(&product, quantity) {
            supply = supply.with_all(product.part_keys().filter_map(|key| self.store.get(&key)));
        }
        take_pieces(&product, Some(&supply), quantity, self.now, 90).ok()
    }

    fn expire(&mut self) {
        let overdue = self
            .all_orders()
            .into_iter()
            .filter(|order| order.status == OrderStatus::Pending && order.settle_by <= self.now);
        let event = |order: Order| Event::about(order.order_id, &OrderOverdue::of(&order));
        let events: Vec<Event> = overdue.map(event).collect();
        self.messages.extend(events.into_iter().map(|event| (CUSTOMER_SAGA, event)));
    }

    /// Reads the facts, and decides.
    fn begin(&mut self, work: Work) {
        let effects = self.decide(work);
        self.under_way.push((work, effects));
    }

    /// Commits, and decides again first if the facts have changed.
    fn finish(&mut self, work: Work, effects: Effects) {
        if !self.commit(&effects) {
            let again = self.decide(work);
            assert!(self.commit(&again), "nothing has changed since: {work:?} {again:?}");
        }
        if let Work::Consume(message) = work {
            let (queue, event) = &self.messages[message];
            if *queue == CUSTOMER_APPROVALS && event.event_type != OrderCreated::TYPE {
                self.released.insert(event.aggregate_id.clone());
            }
        }
    }

    /// The effects of the work; none for a refusal.
    fn decide(&self, work: Work) -> Effects {
        let moment = Moment::new(self.now, [1; 32]);
        let (queue, event) = match work {
            Work::Cancel(order_id) => {
                let order = self.store.get::<Order>(&Order::key_of(order_id)).unwrap();
                return match order.after(Transition::Cancel, self.now) {
                    TransitionResult::Changed(change) => change.effects(),
                    _ => Effects::none(),
                };
            }
            Work::Consume(message) => &self.messages[message],
        };
        if *queue == CUSTOMER_SAGA {
            let answer: CreditResult = read(event.data.clone());
            let order = self.store.get(&Order::key_of(answer.order_id));
            let number = takes_number(&answer, order.as_ref()).then(|| self.next_number());
            let delivery = Some(Delivery { customer: None, address: home() });
            let facts = SettleFacts { order, number, delivery };
            return settle(&moment, &answer, facts).unwrap_or_default();
        }
        let charge: Charge = read(event.data.clone());
        let account = CreditAccount::key_of(charge.user_id, charge.total.currency);
        let open_credit = Amount::of_minor_units(OPEN_CREDIT);
        let facts = CreditFacts {
            reservation: self.store.get(&Reservation::key_of(charge.order_id)),
            account: self.store.get(&account),
            open_credit: Money { amount: open_credit, currency: Currency::EUR },
        };
        let created = event.event_type == OrderCreated::TYPE;
        if created { reserve(&charge, &facts) } else { release(&charge, &facts) }
    }

    /// Takes the next position. A decision that does not commit leaves it out.
    fn next_number(&self) -> SerialNumber {
        self.last_position.set(self.last_position.get() + 1);
        SerialNumbers::at(self.last_position.get())
    }

    /// Commits, sends the events to their subscribers, and checks that every order's step is valid.
    fn commit(&mut self, effects: &Effects) -> bool {
        let before = self.all_orders();
        if !self.store.commit(effects.writes()) {
            return false;
        }
        for order in before {
            let now = self.store.get::<Order>(&order.key()).unwrap();
            if now.status != order.status {
                let step = (order.status.as_str(), now.status.as_str());
                assert!(STEPS.contains(&step), "{step:?}");
                if step.1 == "APPROVED" {
                    *self.events.entry((now.order_id.to_string(), "OrderApproved")).or_default() +=
                        1;
                }
                self.numbers.extend(now.serial_number.filter(|_| step.1 == "APPROVED"));
            }
        }
        self.announce(effects);
        for event in effects.events() {
            let told = self.events.entry((event.aggregate_id.clone(), event.event_type));
            *told.or_default() += 1;
            let queues = subscribers(event.event_type).iter();
            let ours = queues.filter(|queue| [CUSTOMER_APPROVALS, CUSTOMER_SAGA].contains(queue));
            self.messages.extend(ours.map(|queue| (*queue, event.clone())));
        }
        true
    }

    /// Sends the announcements, and checks that each order has one decision of the customer service.
    fn announce(&mut self, effects: &Effects) {
        for message in effects.announced() {
            let Content::New(event) = &message.content else { panic!("not new: {message:?}") };
            if event.event_type == CustomerDecided::TYPE {
                let CreditResult { order_id, order_type, .. } = read(event.data.clone());
                let decided = *self.decisions.entry(order_id).or_insert(order_type);
                assert_eq!(decided, order_type, "{order_id} is decided on twice");
            }
            if [CUSTOMER_APPROVALS, CUSTOMER_SAGA].contains(&message.queue) {
                self.messages.push((message.queue, event.clone()));
            }
        }
    }

    /// Finishes all open work, and delivers every message until no new one is sent.
    pub(super) fn drain(&mut self) {
        for (work, effects) in std::mem::take(&mut self.under_way) {
            self.finish(work, effects);
        }
        self.now = self.now.plus_seconds(WAITS_S);
        self.expire();
        let mut next = 0;
        while next < self.messages.len() {
            self.begin(Work::Consume(next));
            if let Some((work, effects)) = self.under_way.pop() {
                self.finish(work, effects);
            }
            next += 1;
        }
    }

    /// Checks the invariants that hold at any time.
    pub(super) fn balance(&self) {
        let product = self.store.get::<Product>(&lamp().key()).unwrap();
        let orders = self.all_orders();
        let bound = orders
            .iter()
            .filter(|order| matches!(order.status, OrderStatus::Pending | OrderStatus::Approved));
        let bound: i64 = bound.map(|order| order.items[0].quantity.get()).sum();
        let in_parts: i64 =
            self.store.all::<StockPart>("stock#").iter().map(|part| part.pieces.get()).sum();
        let in_stock = product.stock.get() + in_parts;
        assert_eq!(in_stock + bound, STOCK, "pieces were lost or created");

        for account in self.store.all::<CreditAccount>("account#") {
            let reservations = self.store.all::<Reservation>("order#").into_iter();
            let held = reservations.filter(|reservation| {
                reservation.user_id == account.user_id
                    && reservation.status == ReservationStatus::Held
            });
            let held: i64 = held.map(|reservation| reservation.amount.amount.get()).sum();
            assert_eq!(account.reserved.get(), held, "credit was lost or created");
            assert!(held <= OPEN_CREDIT, "{held} is more than the open credit");
        }

        for reservation in self.store.all::<Reservation>("order#") {
            let held = reservation.status == ReservationStatus::Held;
            let released = self.released.contains(&reservation.order_id.to_string());
            assert!(!(held && released), "credit is reserved for an order that was released");
        }

        let mut positions: Vec<SerialNumber> =
            (self.first_position + 1..=self.last_position.get()).map(SerialNumbers::at).collect();
        for number in &self.numbers {
            let place = positions.iter().position(|it| it == number);
            positions.swap_remove(place.expect("each position has one approval at most"));
        }
    }

    /// Checks the invariants that hold after all deliveries.
    pub(super) fn balance_at_rest(&self) {
        for order in self.all_orders() {
            let Order { order_id, status, .. } = order;
            assert_ne!(status, OrderStatus::Pending, "{order_id} is not settled");
            let reservation = self.store.get::<Reservation>(&Reservation::key_of(order_id));
            let held = reservation.is_some_and(|found| found.status == ReservationStatus::Held);
            // An approval by hand reserves no credit.
            let approved = status == OrderStatus::Approved;
            assert!(approved || !held, "{status:?}, but credit is reserved");
            assert!(held || !approved || self.meddled.contains(&order_id), "no credit reserved");

            let told = |event| {
                self.events.get(&(order_id.to_string(), event)).copied().unwrap_or_default()
            };
            let settled = ["OrderApproved", "OrderRejected", "OrderTimedOut"].map(told);
            assert_eq!(settled.iter().sum::<usize>(), 1, "settled once: {settled:?}");
            assert_eq!(told("OrderDeleted"), usize::from(status == OrderStatus::Cancelled));
            let summary = self.store.get::<OrderSummary>(&OrderSummary::key_of(order_id));
            let was_approved = matches!(status, OrderStatus::Approved | OrderStatus::Cancelled);
            assert_eq!(summary.is_some(), was_approved, "{order_id}");
        }
    }

    /// Delivers every message again, and checks that nothing changes.
    pub(super) fn repeat_everything(&mut self) {
        let before = self.store.clone();
        for message in 0..self.messages.len() {
            self.begin(Work::Consume(message));
            if let Some((work, effects)) = self.under_way.pop() {
                self.finish(work, effects);
            }
        }
        assert!(self.store == before);
    }

    fn all_orders(&self) -> Vec<Order> {
        let orders = self.orders.iter();
        orders.filter_map(|order_id| self.store.get(&Order::key_of(*order_id))).collect()
    }
}

/// The only steps that an order may take.
const STEPS: [(&str, &str); 4] = [
    ("PENDING", "APPROVED"),
    ("PENDING", "REJECTED"),
    ("PENDING", "TIMED_OUT"),
    ("APPROVED", "CANCELLED"),
];

fn within(place: usize, count: usize) -> Option<usize> {
    place.checked_rem(count)
}
