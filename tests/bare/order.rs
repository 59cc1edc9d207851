//! The calls of `create_order`, in a row: the wanted attributes of products, address and customer by
//! one call, then the transaction of order, stock and idempotency table, and then the order's event to
//! one queue after the other. All of them are before the response: nothing holds a bare process after
//! it.

use std::collections::HashMap;
use std::env;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem, Update};
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use bare::text;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (dynamodb, sqs) = bare::dynamodb_and_sqs().await?;
    // The queue of mails is first, as the order is decided on by the other's consumer.
    let queues = [env::var("EMAILS_QUEUE_URL")?, env::var("CUSTOMER_APPROVALS_QUEUE_URL")?];
    let services = &Services { dynamodb, sqs, queues };
    run(service_fn(async |request: Request| order(services, &request).await)).await
}

struct Services {
    dynamodb: Client,
    sqs: aws_sdk_sqs::Client,
    queues: [String; 2],
}

/// The attributes that an order needs of a product, of an address and of a user.
const OF_PRODUCT: [&str; 9] =
    ["available", "discount", "name", "pk", "price", "productId", "soldAt", "stock", "stockParts"];
const OF_ADDRESS: [&str; 2] = ["pk", "userId"];
const OF_USER: [&str; 2] = ["pk", "tier"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Draft {
    items: Vec<Line>,
    address_id: String,
    payment_method: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    product_id: String,
    quantity: u64,
}

/// The fields of a product that an order needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product {
    name: String,
    price: Money,
}

#[derive(Clone, Deserialize, Serialize)]
struct Money {
    amount: u64,
    currency: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    order_id: String,
    user_id: String,
    status: &'static str,
    payment_method: String,
    items: Vec<OrderLine>,
    address_id: String,
    shipping: Money,
    total: Money,
    version: u32,
    created_at: String,
    updated_at: String,
    settle_by: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderLine {
    product_id: String,
    name: String,
    quantity: u64,
    unit_price: Money,
    actual_price: Money,
}

/// The order's event, as a message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    event_id: &'a str,
    event_type: &'static str,
    version: u32,
    occurred_at: &'a str,
    aggregate_id: &'a str,
    request_id: String,
    traceparent: &'a str,
    data: &'a Order,
}

/// The response in the idempotency table.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    status: u16,
    headers: Headers,
    body: &'a str,
    expires_at: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Headers {
    content_type: &'static str,
    etag: &'static str,
    location: String,
}

#[derive(Serialize)]
struct Data<'a> {
    data: &'a Order,
}

impl Order {
    fn new(draft: Draft, user_id: String, products: Vec<Product>) -> Self {
        let euros = |amount| Money { amount, currency: "EUR".to_owned() };
        let items: Vec<_> = draft.items.into_iter().zip(products).map(OrderLine::new).collect();
        let pieces = items.iter().map(|line| line.quantity * line.actual_price.amount);
        let now = "2026-11-21T12:00:00.000Z".to_owned();
        Self {
            order_id: Uuid::now_v7().to_string(),
            user_id,
            status: "PENDING",
            payment_method: draft.payment_method,
            total: euros(pieces.sum::<u64>() + 490),
            items,
            address_id: draft.address_id,
            shipping: euros(490),
            version: 1,
            created_at: now.clone(),
            updated_at: now.clone(),
            settle_by: now,
        }
    }
}

impl OrderLine {
    fn new((line, product): (Line, Product)) -> Self {
        Self {
            product_id: line.product_id,
            name: product.name,
            quantity: line.quantity,
            unit_price: product.price.clone(),
            actual_price: product.price,
        }
    }
}

impl<'a> Event<'a> {
    fn of(order: &'a Order, event_id: &'a str, traceparent: &'a str) -> Self {
        Self {
            event_id,
            event_type: "OrderCreated",
            version: 1,
            occurred_at: &order.created_at,
            aggregate_id: &order.order_id,
            request_id: Uuid::now_v7().to_string(),
            traceparent,
            data: order,
        }
    }
}

impl<'a> Answer<'a> {
    fn of(order: &Order, body: &'a str) -> Self {
        let location = format!("/orders/{}", order.order_id);
        let headers = Headers { content_type: "application/json", etag: "\"1\"", location };
        Self { status: 201, headers, body, expires_at: 1_800_000_000 }
    }
}

async fn order(services: &Services, request: &Request) -> Result<Response<Body>, Error> {
    let draft: Draft = serde_json::from_slice(request.body())?;
    let user_id = caller(request).ok_or("the caller is not signed in")?;
    let key = request.headers().get("idempotency-key").ok_or("there is no key")?.to_str()?;
    let products = products(&services.dynamodb, &draft, &user_id).await?;
    let order = Order::new(draft, user_id, products);
    let event_id = Uuid::now_v7().to_string();
    let answer = serde_json::to_string(&Data { data: &order })?;
    commit(&services.dynamodb, &order, &event_id, key, &answer).await?;
    announce(services, &order, &event_id).await?;
    let response = Response::builder().status(201).header("content-type", "application/json");
    Ok(response.body(answer.into())?)
}

fn caller(request: &Request) -> Option<String> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else { return None };
    let authorizer = context.authorizer.as_ref()?;
    Some(authorizer.fields.get("sub")?.as_str()?.to_owned())
}

async fn products(client: &Client, draft: &Draft, user_id: &str) -> Result<Vec<Product>, Error> {
    let products = draft.items.iter().map(|line| key_of(&line.product_id)).collect();
    let request = client
        .batch_get_item()
        .request_items("products", wanted(products, &OF_PRODUCT, true)?)
        .request_items("addresses", wanted(vec![key_of(&draft.address_id)], &OF_ADDRESS, false)?)
        .request_items("users", wanted(vec![key_of(user_id)], &OF_USER, false)?);
    let mut found = request.send().await?.responses.unwrap_or_default();
    for table in ["addresses", "users"] {
        found.get(table).and_then(|items| items.first()).ok_or_else(|| format!("{table}: none"))?;
    }
    let products = found.remove("products").unwrap_or_default().into_iter();
    Ok(products.map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
}

/// Some attributes of items. Only a current read is consistent.
fn wanted(
    keys: Vec<HashMap<String, AttributeValue>>,
    attributes: &[&str],
    is_current: bool,
) -> Result<KeysAndAttributes, Error> {
    let mut wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(is_current);
    let mut names = Vec::with_capacity(attributes.len());
    for (number, attribute) in attributes.iter().enumerate() {
        let name = format!("#{number}");
        wanted = wanted.expression_attribute_names(&name, *attribute);
        names.push(name);
    }
    Ok(wanted.projection_expression(names.join(", ")).build()?)
}

async fn commit(
    client: &Client,
    order: &Order,
    event_id: &str,
    key: &str,
    answer: &str,
) -> Result<(), Error> {
    let mut writes = vec![put("orders", &order.order_id, stored(order, event_id)?)?];
    for line in &order.items {
        writes.push(take_from_stock(line, &order.created_at)?);
    }
    writes.push(put("ledger", key, serde_dynamo::to_item(Answer::of(order, answer))?)?);
    let request = client.transact_write_items().set_transact_items(Some(writes));
    request.client_request_token(Uuid::new_v4().to_string()).send().await?;
    Ok(())
}

/// The order with its event's id and its places in two indexes.
fn stored(order: &Order, event_id: &str) -> Result<HashMap<String, AttributeValue>, Error> {
    let mut item: HashMap<String, AttributeValue> = serde_dynamo::to_item(order)?;
    item.insert("createdEventId".to_owned(), text(event_id));
    let id = &order.order_id;
    let shard = id.bytes().map(usize::from).sum::<usize>() % 4;
    for (index, time) in [("by_creation", &order.created_at), ("by_deadline", &order.settle_by)] {
        item.insert(format!("{index}_pk"), text(shard.to_string()));
        item.insert(format!("{index}_sk"), text(format!("{time}#{id}")));
    }
    Ok(item)
}

fn put(
    table: &str,
    id: &str,
    item: HashMap<String, AttributeValue>,
) -> Result<TransactWriteItem, Error> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .item("pk", text(id))
        .condition_expression("attribute_not_exists(pk)")
        .build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn take_from_stock(line: &OrderLine, at: &str) -> Result<TransactWriteItem, Error> {
    let update = Update::builder()
        .table_name("products")
        .set_key(Some(key_of(&line.product_id)))
        .update_expression("ADD stock :taken, version :one SET soldAt = :at")
        .condition_expression("stock >= :wanted")
        .expression_attribute_values(":taken", AttributeValue::N(format!("-{}", line.quantity)))
        .expression_attribute_values(":wanted", AttributeValue::N(line.quantity.to_string()))
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .expression_attribute_values(":at", text(at))
        .build()?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// Sends the order's event to one queue after the other, in the customer's group.
async fn announce(services: &Services, order: &Order, event_id: &str) -> Result<(), Error> {
    let span = Uuid::new_v4().simple().to_string();
    let traceparent = format!("00-{}-{}-01", Uuid::new_v4().simple(), &span[..16]);
    let body = serde_json::to_string(&Event::of(order, event_id, &traceparent))?;
    let traced =
        MessageAttributeValue::builder().data_type("String").string_value(traceparent).build()?;
    for queue in &services.queues {
        let entry = SendMessageBatchRequestEntry::builder()
            .id("0")
            .message_body(&body)
            .message_attributes("traceparent", traced.clone())
            .message_group_id(&order.user_id)
            .build()?;
        let answer =
            services.sqs.send_message_batch().queue_url(queue).entries(entry).send().await?;
        if !answer.failed.is_empty() {
            return Err(format!("{queue} refused the event").into());
        }
    }
    Ok(())
}

fn key_of(id: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), text(id))])
}
