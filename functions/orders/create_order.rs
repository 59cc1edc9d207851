//! `POST /orders`: a customer places an order.

use aws::{Aws, CachedSetting, Table, batch_get};
use domain::catalogue::{OfferedProduct, Product, StockPart, Supply};
use domain::events::messages_about;
use domain::orders::{
    AddressOwner, CustomerTier, OrderDraft, OrderFacts, OrderView, PlaceOrder, PlacedOrder,
    place_order,
};
use domain::people::{Address, Role, SignedIn, User};
use domain::resources::{ADDRESSES, CUSTOMER_APPROVALS, EMAILS, ORDERS, PRODUCTS, SETTINGS, USERS};
use domain::{BusinessRules, error_codes};
use futures::future::try_join_all;
use lifecycle::prelude::*;
use lifecycle::{Endpoint, ServiceError};

pub(crate) fn main() -> ExitCode {
    aws::serve(build)
}

fn build(aws: &Aws) -> CreateOrder {
    CreateOrder {
        products: aws.table(),
        parts: aws.table(),
        addresses: aws.table(),
        customers: aws.table(),
        rules: aws.setting(),
    }
}

struct CreateOrder {
    products: Table<Product>,
    parts: Table<StockPart>,
    addresses: Table<Address>,
    customers: Table<User>,
    rules: CachedSetting<BusinessRules>,
}

impl Endpoint for CreateOrder {
    // 1. Routing
    const ROUTE: Route = Route::post("/orders");

    // 2. Authentication
    type Caller = SignedIn;

    // 3. Authorization, before anything is read
    const ACCESS: Access<Role> = Access::SignedIn;

    const IDEMPOTENCY: Idempotency = Idempotency::Required;
    const BODY_BYTES_MAX: usize = 16 * 1024;
    const RESOURCES: Resources = &[
        Resource::Table(PRODUCTS, &[BatchGetItem, UpdateItem]),
        Resource::Table(ADDRESSES, &[BatchGetItem]),
        Resource::Table(USERS, &[BatchGetItem]),
        Resource::Table(SETTINGS, &[GetItem]),
        Resource::Table(ORDERS, &[PutItem]),
        Resource::Queue(EMAILS),
        Resource::Queue(CUSTOMER_APPROVALS),
    ];

    // 4. Deserialisation
    type Input = Json<OrderDraft>;

    // 5. Syntax validation
    type Command = PlaceOrder;

    // 6. Retrieval: everything in parallel, and then the stock of products in parts; of each record
    // only the attributes that the rules need. Addresses never change, and only the customer's tier
    // is needed, so both may be a moment old
    type Facts = OrderFacts;

    async fn retrieve(
        &self,
        permit: &Permit<SignedIn>,
        command: &PlaceOrder,
    ) -> Retrieved<OrderFacts> {
        let wanted = (
            self.products.excerpts::<OfferedProduct>(command.product_keys()),
            self.addresses.excerpt::<AddressOwner>(Address::key_of(command.address_id)).lagging(),
            self.customers.excerpt::<CustomerTier>(User::key_of(permit.caller().user_id)).lagging(),
        );
        let ((products, address, customer), rules) =
            futures::try_join!(batch_get(permit, wanted), self.rules.get(permit))?;
        let supplies = self.supplies(permit, command, &products).await?;
        Ok(OrderFacts { products, supplies, address, customer, rules })
    }

    // 3b. Authorization: callers order for themselves. An address of another user is an error in
    // the order, not a resource to hide: a rule of stage 7 reports it.
    const ALLOW: Allow<Self> = Allow::Always;

    const CONDITIONS: Conditions<OrderFacts> = Conditions::Creation(Some(error_codes::ID_TAKEN));

    // 7. Business rules
    type Outcome = PlacedOrder;
    const ERRORS: &'static [ErrorCode] = &[
        error_codes::ID_TAKEN,
        error_codes::TOO_MANY_ITEMS,
        error_codes::QUANTITY_TOO_LARGE,
        error_codes::PRODUCT_UNKNOWN,
        error_codes::PRODUCT_UNAVAILABLE,
        error_codes::ADDRESS_UNKNOWN,
        error_codes::CURRENCY_MIXED,
        error_codes::SHIPPING_UNAVAILABLE,
        error_codes::OUT_OF_STOCK,
        error_codes::STOCK_SCATTERED,
    ];

    fn decide(
        moment: &Moment,
        caller: &SignedIn,
        command: &PlaceOrder,
        facts: OrderFacts,
    ) -> Result<PlacedOrder, DomainError> {
        place_order(moment, caller, command, facts)
    }

    // 8. Side effects: the order, which carries `OrderCreated`, and the stock it reserves, in one
    // commit. If the announcement is lost, `expire_sagas` finds the pending order and repeats it
    fn effects(placed: &PlacedOrder) -> Effects {
        let order = &placed.order;
        let id_taken = error_codes::ID_TAKEN.at("/orderId", "is in use");
        Effects::none()
            .write(Write::create(order).or_reject(id_taken))
            .writes_of(placed.reserve_stock())
            .announce_all(messages_about(&order.created_event()))
    }

    // 9. Response
    type Reply = reply::Created<OrderView>;

    fn reply(PlacedOrder { order, .. }: PlacedOrder) -> reply::Created<OrderView> {
        let (path, tag) = (format!("/orders/{}", order.order_id), order.entity_tag());
        reply::Created::at(path, order.into()).tagged(tag)
    }
}

impl CreateOrder {
    /// The supplies of the ordered products whose stock is in parts: one part of each, and all if that
    /// one and the product have too few pieces.
    async fn supplies(
        &self,
        permit: &Permit<SignedIn>,
        command: &PlaceOrder,
        products: &[Option<OfferedProduct>],
    ) -> Result<Vec<Supply>, ServiceError> {
        let items = command.items.as_slice().iter().zip(products);
        let in_parts = items.filter_map(|(item, product)| {
            let product = product.as_ref()?;
            Some((item, product, Supply::of(product, permit.moment())?))
        });
        let in_parts: Vec<_> = in_parts.collect();
        if in_parts.is_empty() {
            return Ok(Vec::new());
        }
        let keys = in_parts.iter().map(|(.., supply)| supply.preferred_key());
        let preferred = batch_get(permit, self.parts.many(keys)).await?;
        let mut supplies = Vec::with_capacity(in_parts.len());
        for ((item, product, supply), part) in in_parts.into_iter().zip(preferred) {
            let supply = supply.with_one(part);
            supplies.push(self.completed(permit, product, supply, item.quantity.get()));
        }
        try_join_all(supplies).await
    }

    /// The supply, with all parts if the order needs them.
    async fn completed(
        &self,
        permit: &Permit<SignedIn>,
        product: &OfferedProduct,
        supply: Supply,
        quantity: i64,
    ) -> Result<Supply, ServiceError> {
        if !supply.needs_all(product, quantity) {
            return Ok(supply);
        }
        let all = batch_get(permit, self.parts.many(product.part_keys())).await?;
        Ok(supply.with_all(all.into_iter().flatten()))
    }
}

#[cfg(test)]
mod tests {
    use aws::testing::InMemory;
    use domain::catalogue::StockedProduct;
    use domain::examples::{ann, claims_of, home, lamp};
    use domain::orders::Order;
    use lifecycle::effects::{OnConditionFailed, text};
    use lifecycle::idempotency::IDEMPOTENCY_KEYS;
    use lifecycle::record::Record;
    use lifecycle::testing::{Answer, Memory, Request, TestedEndpoint};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn an_order_and_its_stock_are_one_commit_and_the_event_follows_it() {
        let (memory, create_order) = shop();

        let answer = ask(&create_order, "key-1").await;

        assert_eq!(answer.status, 201, "{}", answer.body);
        let commits = memory.commits();
        let tables: Vec<_> = commits[0].iter().map(|write| write.table).collect();
        assert_eq!(tables, [ORDERS, PRODUCTS, IDEMPOTENCY_KEYS], "no row in the outbox");
        assert_eq!(commits.len(), 1);
        let sent = memory.messages();
        let queues: Vec<_> = sent.iter().map(|sent| sent.queue).collect();
        assert_eq!(queues, [EMAILS, CUSTOMER_APPROVALS]);
        let order = memory.items(ORDERS).remove(0);
        for event in sent.iter().map(|sent| &sent.envelope) {
            assert_eq!(event.event_type, "OrderCreated");
            assert_eq!(json!(event.aggregate_id), answer.json()["data"]["orderId"]);
            assert_eq!(order.get("createdEventId"), Some(&text(event.event_id.as_str())));
        }
    }

    #[tokio::test]
    async fn a_repeated_order_takes_its_stock_once() {
        let (memory, create_order) = shop();

        let first = ask(&create_order, "key-1").await;
        let repeated = ask(&create_order, "key-1").await;

        assert_eq!((repeated.status, repeated.json()), (201, first.json()));
        assert_eq!(memory.commits().len(), 1);
        let left = memory.get::<Product>(&Product::key_of(lamp().product_id)).unwrap().stock;
        assert_eq!(json!(left), 3, "two of five are taken");
    }

    #[tokio::test]
    async fn an_order_of_more_than_the_stock_that_is_left_is_422() {
        let (memory, create_order) = shop();
        for key in ["key-1", "key-2"] {
            assert_eq!(ask(&create_order, key).await.status, 201);
        }

        let third = ask(&create_order, "key-3").await;

        assert_eq!((third.status, code(&third)), (422, json!("OUT_OF_STOCK")));
        assert_eq!(memory.items(ORDERS).len(), 2);
    }

    #[tokio::test]
    async fn an_order_is_decided_again_when_its_stock_has_changed() {
        let (memory, create_order) = shop();
        assert_eq!(ask(&create_order, "key-1").await.status, 201);
        let stock = &memory.commits()[0][1];
        assert!(matches!(stock.on_condition_failed, OnConditionFailed::Retry), "{stock:?}");
    }

    #[tokio::test]
    async fn the_last_pieces_of_a_product_in_parts_are_sold_and_no_more() {
        let (memory, create_order) = shop();
        // Two parts with two pieces each, and one piece in the product.
        let split = StockedProduct::split(lamp(), 2);
        memory.put(&split.product);
        split.parts.iter().for_each(|part| memory.put(part));

        let statuses = async |keys: [&str; 3]| {
            let mut statuses = Vec::new();
            for key in keys {
                statuses.push(ask(&create_order, key).await.status);
            }
            statuses
        };

        assert_eq!(statuses(["key-1", "key-2", "key-3"]).await, [201, 201, 422]);
        let left: Vec<i64> = split
            .parts
            .iter()
            .map(|part| memory.get::<StockPart>(&part.key()).unwrap().pieces.get())
            .collect();
        assert_eq!(left, [0, 0]);
        let order = memory.items(ORDERS).pop().unwrap();
        assert_eq!(Order::of_item(order).unwrap().taken_from.len(), 1);
    }

    #[tokio::test]
    async fn the_event_holds_the_customers_id_and_no_other_personal_data() {
        let (memory, create_order) = shop();

        ask(&create_order, "key-1").await;

        let data = memory.messages()[0].envelope.data.to_string();
        assert!(data.contains(&ann().user_id.to_string()));
        assert!(!data.contains("ann@example.com") && !data.contains("Street"), "{data}");
    }

    #[tokio::test]
    async fn an_order_of_an_unknown_product_is_422_with_product_unknown() {
        let memory = Memory::new();
        memory.put(&ann());
        memory.put(&home());

        let answer = ask(&InMemory::new(&memory).endpoint(build), "key-1").await;

        assert_eq!((answer.status, code(&answer)), (422, json!("PRODUCT_UNKNOWN")));
    }

    /// Ann, her address and five lamps, and the endpoint on them.
    fn shop() -> (Memory, TestedEndpoint<CreateOrder>) {
        let memory = Memory::new();
        memory.put(&ann());
        memory.put(&home());
        memory.put(&lamp());
        let create_order = InMemory::new(&memory).endpoint(build);
        (memory, create_order)
    }

    /// Ann orders two lamps.
    async fn ask(create_order: &TestedEndpoint<CreateOrder>, key: &str) -> Answer {
        let draft = json!({
            "items": [{ "productId": lamp().product_id, "quantity": 2 }],
            "addressId": home().address_id,
            "paymentMethod": "CARD",
        });
        let request = Request::new().json(&draft).header("idempotency-key", key);
        create_order.ask(&request.by(claims_of(&ann()))).await
    }

    fn code(answer: &Answer) -> serde_json::Value {
        answer.json()["error"]["code"].clone()
    }
}
