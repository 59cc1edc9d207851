//! Probes: valid requests to the store at rest, and lists that are read to their ends.

use serde_json::{Value, json};
use simulation::Millis;
use simulation::random::Seeded;
use simulation::world::{ApiAnswer, ApiRequest, Client, Planned, Workload};

use super::caller::{data, key_of, persist};
use crate::opening::{open, product_id};
use crate::people::{PASSWORD, Person};

/// The note about a request that must succeed: `request`, `expected`, `status` and `body`.
pub(crate) const PROBED: &str = "probed";
/// The note about a list that was read to its end: `list`, and the `ids` of its items in order.
pub(crate) const WALKED: &str = "walked";

/// The list of all products.
pub(crate) const PRODUCT_LIST: &str = "/products";
/// The customer of the probes. No attacker guesses the password, so no limit is used up.
pub(crate) const PROBING_CUSTOMER: Person = Person::Gold;

/// Longer than an index lags: in a shrunk workload the first probe opens the store.
const INDEXED: Millis = Millis::seconds(5);
/// The items of a page: few, so that a list has several pages.
const PAGE: usize = 2;
/// The most pages of a list.
const PAGES_MAX: usize = 200;

/// One probe of each kind.
#[derive(Debug, Clone, Copy)]
pub struct Probes;

/// A probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// A new customer signs up.
    SignUp,
    /// A customer signs in, lists their orders, and orders a lamp.
    Buy,
    /// A guest looks at the health, and lists the catalogue.
    Browse,
}

impl Workload for Probes {
    type Operation = Probe;

    fn plan(&self, _: &mut Seeded) -> Vec<Planned<Probe>> {
        let probes = [Probe::SignUp, Probe::Buy, Probe::Browse];
        probes.into_iter().map(|probe| Planned::after(Millis(0), probe)).collect()
    }

    async fn perform(&self, client: Client, probe: &Probe) {
        open(&client).await;
        client.wait(INDEXED).await;
        // A request that fails is in a note, and ends its probe.
        let _ = match probe {
            Probe::SignUp => sign_up(&client).await,
            Probe::Buy => buy(&client).await,
            Probe::Browse => browse(&client).await,
        };
    }
}

async fn sign_up(client: &Client) -> Option<()> {
    let number = client.operation();
    let account = json!({
        "email": format!("probe{number}@example.com"),
        "password": format!("S3CR3T-of-probe-{number}"), "name": "Marker Probe",
    });
    let request = ApiRequest::post("/users", &account);
    let request = request.header("idempotency-key", key_of(client, "/users"));
    probed(client, &request, 201).await.map(drop)
}

async fn buy(client: &Client) -> Option<()> {
    let credentials = json!({ "email": PROBING_CUSTOMER.email(), "password": PASSWORD });
    let signed_in = probed(client, &ApiRequest::post("/sessions", &credentials), 200).await?;
    let token = data(&signed_in, "accessToken")?;
    // Before the order, which comes into the list a little later.
    walk(client, &orders_of_customer(), "orderId", Some(&token)).await?;
    let order = json!({
        "items": [{ "productId": product_id(0), "quantity": 1 }],
        "addressId": PROBING_CUSTOMER.address_id(), "paymentMethod": "CARD",
    });
    let request = ApiRequest::post("/orders", &order).bearer(&token);
    let request = request.header("idempotency-key", key_of(client, "/orders"));
    probed(client, &request, 201).await.map(drop)
}

async fn browse(client: &Client) -> Option<()> {
    probed(client, &ApiRequest::get("/healthcheck"), 200).await?;
    walk(client, PRODUCT_LIST, "productId", None).await
}

/// The list of the customer's approved orders.
pub(crate) fn orders_of_customer() -> String {
    format!("/orders/user/{}", PROBING_CUSTOMER.id())
}

/// Sends a request that must be answered with this status, and notes the answer. `None` if it is
/// another.
async fn probed(client: &Client, request: &ApiRequest, expected: u16) -> Option<ApiAnswer> {
    let answer = persist(client, request).await;
    let status = answer.as_ref().map(|answer| answer.status);
    // The body of a success may be long, or a token.
    let refused = answer.as_ref().filter(|answer| answer.status != expected);
    let body = refused.map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
    let text = format!("{} {}", request.method, request.path);
    let note = json!({ "request": text, "expected": expected, "status": status, "body": body });
    client.note(PROBED, note);
    answer.filter(|answer| answer.status == expected)
}

/// Reads a list to its end, and notes the ids of its items, which are members of this name.
async fn walk(client: &Client, list: &str, id: &str, token: Option<&str>) -> Option<()> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    for _ in 0..PAGES_MAX {
        let request = ApiRequest::get(format!("{list}?limit={PAGE}{cursor}"));
        let request = match token {
            Some(token) => request.bearer(token),
            None => request,
        };
        let page = probed(client, &request, 200).await?.json();
        let items = page["data"].as_array().into_iter().flatten();
        ids.extend(items.map(|item| item[id].clone()));
        let Value::String(next) = &page["nextCursor"] else { break };
        cursor = format!("&cursor={next}");
    }
    client.note(WALKED, json!({ "list": list, "ids": ids }));
    Some(())
}
