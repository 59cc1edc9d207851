//! Least privilege: a function has the permissions of its policy, and no others.

use client::Error;
use emulator::options::Options;
use futures::future::join_all;
use serde_json::Value;

use crate::harness::{
    Api, CUSTOMER, Refused, eventually, fresh_platform, new_product, order_of, shared_platform,
    unique_email, user,
};

/// The error code of a denial. Some services append `Exception`.
const DENIED: &str = "AccessDenied";

/// The requests of these tests.
#[derive(Debug, Clone, Copy)]
enum Request {
    Account,
    SignUp,
    Order,
}

/// A permission that a policy lacks (function, action, resource), a request, and whether it
/// succeeds.
type Case = (&'static str, &'static str, &'static str, Request, bool);

/// A request fails if it needs the permission before its response. Effects after the response, and
/// later effects of other functions, do not change the response.
const CASES: [Case; 6] = [
    ("GetUserFunction", "dynamodb:GetItem", "UsersTable", Request::Account, false),
    ("CreateOrderFunction", "dynamodb:UpdateItem", "ProductsTable", Request::Order, false),
    ("CreateOrderFunction", "dynamodb:PutItem", "OrdersTable", Request::Order, false),
    ("CreateOrderFunction", "sqs:SendMessage", "CustomerApprovalsQueue", Request::Order, true),
    ("PostUserFunction", "sqs:SendMessage", "EmailsQueue", Request::SignUp, true),
    ("ApproveCustomerFunction", "sqs:SendMessage", "CustomerSagaQueue", Request::Order, true),
];

#[tokio::test]
async fn a_missing_permission_is_denied_and_named_in_the_log() {
    // Each case has another platform.
    join_all(CASES.into_iter().map(assert_denied)).await;
}

async fn assert_denied((function, action, resource, request, is_done): Case) {
    let right = format!("{function} {action} {resource}").parse().unwrap();
    let options = Options { demo: true, without: vec![right], ..Options::default() };
    let Some(api) = fresh_platform(options).await else { return };

    let done = ask(&api, request).await;

    let case = format!("{function} without {action} on {resource}");
    assert_eq!(done.is_ok(), is_done, "{case}: {done:?}");
    if !is_done {
        let refusal = format!("{:?}", done.refused(500, "INTERNAL_ERROR"));
        assert!(!refusal.contains("denied") && !refusal.contains(action), "{refusal}");
    }
    let arn = arn(&api, resource);
    let named = [DENIED, action, &arn];
    let control = api.control().unwrap();
    eventually(&format!("the denial in the log: {case}"), async || {
        let lines = control.logs().await.into_iter().map(|line| line.to_string());
        lines.into_iter().find(|line| named.iter().all(|name| line.contains(name)))
    })
    .await;
}

#[tokio::test]
async fn nothing_is_denied_to_a_function_with_its_whole_policy() {
    let api = shared_platform().await;
    for request in [Request::Account, Request::SignUp, Request::Order] {
        ask(&api, request).await.unwrap();
    }
    let Some(control) = api.control() else { return };
    let denied = |line: &Value| line.to_string().contains(DENIED);
    assert_eq!(control.logs().await.into_iter().find(denied), None);
}

async fn ask(api: &Api, request: Request) -> Result<(), Error> {
    match request {
        Request::SignUp => api.client().post_user(&user(&unique_email()), None).await.map(drop),
        Request::Account => api.person("customer").await.get_user(CUSTOMER.into()).await.map(drop),
        Request::Order => {
            let lamp = new_product(&api.person("merchant").await, 1).await;
            let order = order_of(lamp, 1);
            api.person("customer").await.create_order(&order, None).await.map(drop)
        }
    }
}

fn arn(api: &Api, resource: &str) -> String {
    let names = api.inside().unwrap().platform().stores().names().clone();
    let table = names.table(resource).map(|table| table.arn.clone());
    table.or_else(|| names.queue(resource).map(|queue| queue.arn.clone())).unwrap()
}
