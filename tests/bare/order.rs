//! The table calls of `create_order`, in a row: products, address and customer by one call, then
//! the transaction of order, stock, outbox and idempotency table.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem, Update};
use bare::text;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = &bare::dynamodb().await?;
    run(service_fn(async |request: Request| order(client, &request).await)).await
}

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

/// The order's event in the outbox.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    sk: String,
    event_id: String,
    event_type: &'static str,
    version: u32,
    occurred_at: &'a str,
    aggregate_id: &'a str,
    data: &'a Order,
    expires_at: u64,
}

/// The response in the idempotency table.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    status: u16,
    body: &'a str,
    expires_at: u64,
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
    fn of(order: &'a Order) -> Self {
        let event_id = Uuid::now_v7().to_string();
        Self {
            sk: event_id.clone(),
            event_id,
            event_type: "OrderCreated",
            version: 1,
            occurred_at: &order.created_at,
            aggregate_id: &order.order_id,
            data: order,
            expires_at: 1_800_000_000,
        }
    }
}
async fn order(client: &Client, request: &Request) -> Result<Response<Body>, Error> {
    let draft: Draft = serde_json::from_slice(request.body())?;
    let user_id = caller(request).ok_or("the caller is not signed in")?;
    let key = request.headers().get("idempotency-key").ok_or("there is no key")?.to_str()?;
    let products = products(client, &draft, &user_id).await?;
    let order = Order::new(draft, user_id, products);
    let answer = serde_json::to_string(&Data { data: &order })?;
    commit(client, &order, key, &answer).await?;
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
        .request_items("products", wanted(products)?)
        .request_items("addresses", wanted(vec![key_of(&draft.address_id)])?)
        .request_items("users", wanted(vec![key_of(user_id)])?);
    let mut found = request.send().await?.responses.unwrap_or_default();
    for table in ["addresses", "users"] {
        found.get(table).and_then(|items| items.first()).ok_or_else(|| format!("{table}: none"))?;
    }
    let products = found.remove("products").unwrap_or_default().into_iter();
    Ok(products.map(serde_dynamo::from_item).collect::<Result<_, _>>()?)
}

fn wanted(keys: Vec<HashMap<String, AttributeValue>>) -> Result<KeysAndAttributes, Error> {
    Ok(KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?)
}

async fn commit(client: &Client, order: &Order, key: &str, answer: &str) -> Result<(), Error> {
    let mut writes = vec![
        put("orders", &order.order_id, order)?,
        put("outbox", &order.order_id, &Event::of(order))?,
        put("ledger", key, &Answer { status: 201, body: answer, expires_at: 1_800_000_000 })?,
    ];
    for line in &order.items {
        writes.push(take_from_stock(line)?);
    }
    let request = client.transact_write_items().set_transact_items(Some(writes));
    request.client_request_token(Uuid::new_v4().to_string()).send().await?;
    Ok(())
}

fn put(table: &str, id: &str, record: &impl Serialize) -> Result<TransactWriteItem, Error> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(serde_dynamo::to_item(record)?))
        .item("pk", text(id))
        .condition_expression("attribute_not_exists(pk)")
        .build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn take_from_stock(line: &OrderLine) -> Result<TransactWriteItem, Error> {
    let update = Update::builder()
        .table_name("products")
        .set_key(Some(key_of(&line.product_id)))
        .update_expression("ADD stock :taken, version :one")
        .condition_expression("stock >= :wanted")
        .expression_attribute_values(":taken", AttributeValue::N(format!("-{}", line.quantity)))
        .expression_attribute_values(":wanted", AttributeValue::N(line.quantity.to_string()))
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .build()?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn key_of(id: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), text(id))])
}
