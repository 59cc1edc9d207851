//! Merchants who change the catalogue, and its readers.

use serde_json::{Value, json};
use simulation::random::{Random, Seeded};
use simulation::world::{ApiRequest, Client, Planned, Workload};

use super::caller::{Caller, persist};
use super::day::day;
use crate::opening::{PRODUCTS, open, product_id};
use crate::people::Person;

/// So many changes and looks. No change sets a stock: the oracles count the pieces.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue {
    /// The changes.
    pub changes: usize,
}

/// One change or look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Another discount.
    Discount(usize, u64),
    /// Another description.
    Describe(usize, u64),
    /// One of two names that several products want.
    Rename(usize, usize),
    /// A new product.
    Offer,
    /// A look at a product.
    Look(usize),
    /// A look at a page of all products.
    List,
}

/// The names that several products want.
const NAMES: [&str; 2] = ["Wanted name", "Other wanted name"];

impl Workload for Catalogue {
    type Operation = Change;

    fn plan(&self, random: &mut Seeded) -> Vec<Planned<Change>> {
        let changes: Vec<Change> = (0..self.changes).map(|_| change(random)).collect();
        let within = day(self.changes, random);
        changes.into_iter().map(|change| Planned::within(within, random, change)).collect()
    }

    async fn perform(&self, client: Client, change: &Change) {
        open(&client).await;
        let merchant = Caller::of(&client, Person::Merchant);
        let path = |product: usize| format!("/products/{}", product_id(product));
        let patch =
            |product: usize, patch: Value| ApiRequest::new("PATCH", path(product)).json(&patch);
        let request = match *change {
            Change::Discount(product, discount) => patch(product, json!({ "discount": discount })),
            Change::Describe(product, text) => {
                patch(product, json!({ "description": format!("Text {text}.") }))
            }
            Change::Rename(product, name) => patch(product, json!({ "name": NAMES[name] })),
            Change::Offer => {
                let product = json!({
                    "name": format!("Novelty {}", client.operation()), "description": "New.",
                    "price": { "amount": 500, "currency": "EUR" }, "discount": 0, "stock": 9,
                });
                merchant.create("/products", &product).await;
                return;
            }
            Change::Look(product) => {
                persist(&client, &ApiRequest::get(path(product))).await;
                return;
            }
            Change::List => {
                persist(&client, &ApiRequest::get("/products?limit=3")).await;
                return;
            }
        };
        merchant.send(request).await;
    }
}

fn change(random: &mut Seeded) -> Change {
    let product = random.index(PRODUCTS.len());
    match random.below(8) {
        0 | 1 => Change::Discount(product, random.below(50)),
        2 | 3 => Change::Describe(product, random.below(1_000)),
        4 => Change::Rename(product, random.index(NAMES.len())),
        5 => Change::Offer,
        6 => Change::Look(product),
        _ => Change::List,
    }
}
