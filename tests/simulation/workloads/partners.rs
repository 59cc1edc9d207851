//! Partners: they report objects and read; and clients read the partner's catalogue.

use serde_json::json;
use simulation::Millis;
use simulation::random::{Random, Seeded};
use simulation::world::{ApiRequest, Client, Planned, Workload};

use super::caller::persist;
use super::day::day;
use crate::opening::open;
use crate::upstreams::UNLISTED_FROM;

/// So many callbacks, and as many reads.
#[derive(Debug, Clone, Copy)]
pub struct Partners {
    /// The callbacks.
    pub callbacks: usize,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Reports objects, and reads the first of them a little later.
    Report(Vec<i64>),
    /// Reads a page of the partner's catalogue.
    Products(u64),
    /// Reads pages that the partner refuses, one after the other.
    Unlisted,
}

/// The objects: few, so that they are reported again.
const OBJECTS: u64 = 12;
/// The reads of pages that the partner refuses: more than the failures that open a circuit.
const UNLISTED: u64 = 7;

impl Workload for Partners {
    type Operation = Call;

    fn plan(&self, random: &mut Seeded) -> Vec<Planned<Call>> {
        let within = day(self.callbacks, random);
        let mut calls = Vec::new();
        for _ in 0..self.callbacks {
            let count = 1 + random.below(5);
            let id = |random: &mut Seeded| i64::try_from(random.below(OBJECTS)).unwrap_or_default();
            let ids = (0..count).map(|_| id(random)).collect();
            calls.push(Planned::within(within, random, Call::Report(ids)));
            let page = random.below(4);
            calls.push(Planned::within(within, random, Call::Products(page)));
        }
        calls.push(Planned::within(within, random, Call::Unlisted));
        calls
    }

    async fn perform(&self, client: Client, call: &Call) {
        open(&client).await;
        match call {
            Call::Report(ids) => {
                let body = json!({ "object_ids": ids });
                persist(&client, &ApiRequest::post("/callback", &body)).await;
                client.think(Millis::seconds(40)).await;
                if let Some(first) = ids.first() {
                    persist(&client, &ApiRequest::get(format!("/objects/{first}"))).await;
                }
            }
            Call::Products(page) => drop(persist(&client, &products(page + 1)).await),
            Call::Unlisted => {
                for page in 0..UNLISTED {
                    let _ = client.send(products(UNLISTED_FROM + page)).await;
                }
            }
        }
    }
}

fn products(page: u64) -> ApiRequest {
    ApiRequest::get(format!("/partner/products?page={page}&pageSize=10"))
        .header("x-partner-id", "partner-1")
        .header("accept-language", "en")
}
