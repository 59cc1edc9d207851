//! Deserialisation of input, and the sentences of its field errors.

mod body;
mod hostile;
mod pairs;

use schemars::JsonSchema;

use super::super::{Given, List};
use super::*;

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(default)]
    order_id: Option<String>,
    items: List<Item, 1, 25>,
    payment_method: Method,
    #[serde(default)]
    note: Given<String>,
}

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Item {
    product_id: String,
    quantity: Quantity,
}

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    Card,
    Cash,
}

#[derive(Debug, PartialEq)]
struct Quantity(u8);

impl TryFrom<u8> for Quantity {
    type Error = &'static str;

    fn try_from(raw: u8) -> Result<Self, Self::Error> {
        if (1..=99).contains(&raw) { Ok(Self(raw)) } else { Err("must be from 1 to 99") }
    }
}

crate::checked!(Quantity, u8, { "type": "integer", "minimum": 1, "maximum": 99 });

/// Every kind of value in a body.
#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Kinds {
    truth: bool,
    text: String,
    small: u8,
    large: i64,
    real: f64,
    list: Vec<i64>,
    object: Inner,
    choice: Choice,
    #[eserde(compat)]
    map: std::collections::BTreeMap<String, i64>,
}

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
struct Inner {
    #[serde(default)]
    inner: Option<Box<Inner>>,
}

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Choice {
    None,
    One(u8),
    Named { name: String },
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    page_size: u8,
    #[serde(default)]
    order: Option<Direction>,
}

#[derive(Debug, PartialEq, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Asc,
    Desc,
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Mandatory {
    x_partner_id: String,
    #[serde(default)]
    if_match: Option<u8>,
}

const RIGHT: &str = r#"{"items":[{"productId":"p","quantity":3}],"paymentMethod":"CARD"}"#;

fn told<T>(read: Result<T, FieldErrors>) -> Vec<(String, String)> {
    let Err(field_errors) = read else { return Vec::new() };
    let (details, _) = field_errors.into_details();
    details.into_iter().map(|field_error| (field_error.field, field_error.message)).collect()
}

fn fields<T>(read: Result<T, FieldErrors>) -> Vec<String> {
    told(read).into_iter().map(|(field, _)| field).collect()
}

fn order(body: &str) -> Vec<(String, String)> {
    told(json::<Order>(body.as_bytes()))
}

fn order_fields(body: &str) -> Vec<String> {
    fields(json::<Order>(body.as_bytes()))
}
