//! What `create_order` asks of the tables, in a row: products, address and customer by one call,
//! and the transaction of order, stock, outbox and ledger.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem, Update};
use bare::{json, text};
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

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    product_id: String,
    quantity: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Order<'a> {
    order_id: &'a str,
    user_id: &'a str,
    status: &'a str,
    payment_method: &'a str,
    items: &'a [Line],
    total: u64,
}

async fn order(client: &Client, request: &Request) -> Result<Response<Body>, Error> {
    let draft: Draft = serde_json::from_slice(request.body())?;
    let user_id = caller(request).ok_or("nobody is signed in")?;
    let key = request.headers().get("idempotency-key").ok_or("there is no key")?.to_str()?;

    let prices = prices(client, &draft, &user_id).await?;

    let order_id = Uuid::now_v7().to_string();
    let pieces = draft.items.iter().map(|line| u64::from(line.quantity));
    let order = Order {
        order_id: &order_id,
        user_id: &user_id,
        status: "PENDING",
        payment_method: &draft.payment_method,
        items: &draft.items,
        total: pieces.zip(prices).map(|(quantity, price)| quantity * price).sum(),
    };
    commit(client, &order, key).await?;
    json(201, &serde_json::json!({ "data": order }))
}

fn caller(request: &Request) -> Option<String> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else { return None };
    let authorizer = context.authorizer.as_ref()?;
    Some(authorizer.fields.get("sub")?.as_str()?.to_owned())
}

async fn prices(client: &Client, draft: &Draft, user_id: &str) -> Result<Vec<u64>, Error> {
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
    let price = |product: &HashMap<String, AttributeValue>| {
        product.get("price")?.as_m().ok()?.get("amount")?.as_n().ok()?.parse().ok()
    };
    Ok(found.remove("products").unwrap_or_default().iter().filter_map(price).collect())
}

fn wanted(keys: Vec<HashMap<String, AttributeValue>>) -> Result<KeysAndAttributes, Error> {
    Ok(KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?)
}

async fn commit(client: &Client, order: &Order<'_>, key: &str) -> Result<(), Error> {
    let body = serde_json::to_string(order)?;
    let mut writes = vec![
        put("orders", order.order_id, &body)?,
        put("outbox", order.order_id, &body)?,
        put("ledger", key, &body)?,
    ];
    for line in order.items {
        writes.push(take_from_stock(line)?);
    }
    let request = client.transact_write_items().set_transact_items(Some(writes));
    request.client_request_token(Uuid::new_v4().to_string()).send().await?;
    Ok(())
}

fn put(table: &str, id: &str, body: &str) -> Result<TransactWriteItem, Error> {
    let put = Put::builder()
        .table_name(table)
        .item("pk", text(id))
        .item("body", text(body))
        .condition_expression("attribute_not_exists(pk)")
        .build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn take_from_stock(line: &Line) -> Result<TransactWriteItem, Error> {
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
