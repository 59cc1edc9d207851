//! Least privilege: a function may do what its policy says, and nothing else.

use local::options::Options;
use serde_json::Value;

use crate::harness::{Answer, Api, eventually, order_of, own, shared, unique, user};

/// How AWS says no: some services append `Exception`.
const DENIED: &str = "AccessDenied";

/// What is asked for here.
#[derive(Debug, Clone, Copy)]
enum Request {
    Account,
    SignUp,
    Order,
}

/// A grant that a policy lacks, what is asked for, and the status of the answer.
type Case = (&'static str, &'static str, &'static str, Request, u16);

/// What a request needs before its answer fails it. What leaves after the answer does not change
/// it, nor does what others do later because of it.
const CASES: [Case; 5] = [
    ("GetUserFunction", "dynamodb:GetItem", "UsersTable", Request::Account, 500),
    ("CreateOrderFunction", "dynamodb:UpdateItem", "ProductsTable", Request::Order, 500),
    ("CreateOrderFunction", "dynamodb:PutItem", "OutboxTable", Request::Order, 500),
    ("PostUserFunction", "sqs:SendMessage", "EmailsQueue", Request::SignUp, 201),
    ("RelayOutboxFunction", "sqs:SendMessage", "CustomerApprovalsQueue", Request::Order, 201),
];

#[tokio::test]
async fn what_a_policy_lacks_is_denied_and_the_log_says_what_it_was() {
    for (function, action, resource, request, status) in CASES {
        let right = format!("{function} {action} {resource}").parse().unwrap();
        let options = Options { demo: true, without: vec![right], ..Options::default() };
        let Some(api) = own(options).await else { return };

        let answer = ask(&api, request).await;

        let case = format!("{function} without {action} on {resource}");
        assert_eq!(answer.status, status, "{case}: {answer:?}");
        if status == 500 {
            let error = answer.error(500, "INTERNAL_ERROR").to_string();
            assert!(!error.contains("denied") && !error.contains(action), "{error}");
        }
        let arn = arn(&api, resource);
        let named = [DENIED, action, &arn];
        let control = api.control().unwrap();
        eventually(&format!("a word of it in the log: {case}"), async || {
            let lines = control.logs().await.into_iter().map(|line| line.to_string());
            lines.into_iter().find(|line| named.iter().all(|name| line.contains(name)))
        })
        .await;
    }
}

#[tokio::test]
async fn nothing_is_denied_to_a_function_with_its_whole_policy() {
    let api = shared().await;
    for request in [Request::Account, Request::SignUp, Request::Order] {
        let answer = ask(&api, request).await;
        assert!([200, 201].contains(&answer.status), "{request:?}: {answer:?}");
    }
    let Some(control) = api.control() else { return };
    let denied = |line: &Value| line.to_string().contains(DENIED);
    assert_eq!(control.logs().await.into_iter().find(denied), None);
}

async fn ask(api: &Api, request: Request) -> Answer {
    match request {
        Request::SignUp => {
            let ada = user(&format!("{}@example.com", unique("ada")));
            api.post("/users", &ada).send().await
        }
        Request::Account => {
            let customer = api.token("customer").await;
            api.get("/users/00000000-0000-7000-8000-000000000001").token(&customer).send().await
        }
        Request::Order => {
            let customer = api.token("customer").await;
            let lamp = api.new_product(&api.token("merchant").await, 1).await;
            let order = order_of(&lamp, 1, &api.new_address(&customer).await);
            api.order(&customer, &unique("key"), &order).send().await
        }
    }
}

fn arn(api: &Api, resource: &str) -> String {
    let names = api.inside().unwrap().platform().stores().names().clone();
    let table = names.table(resource).map(|table| table.arn.clone());
    table.or_else(|| names.queue(resource).map(|queue| queue.arn.clone())).unwrap()
}
