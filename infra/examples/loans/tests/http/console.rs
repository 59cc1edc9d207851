//! The console's JSON about this service: the boxes of a request, and its journey.

use serde_json::{Value, json};
use testkit::{Control, eventually, unique, when};

use crate::service::{Person, fresh, loan_of, new_book};

#[tokio::test]
async fn a_loan_passes_nine_stages_and_its_journey_ends_with_the_mail() {
    let api = fresh().await;
    let control = api.control().expect("a platform in this process");
    let (ada, book_id) = (Person::new(), new_book(&api, 1));

    let call = api.post("/loans", &loan_of(&book_id)).token(&ada.member());
    let lent = call.key(&unique("key")).send().await;

    lent.data(201);
    control.mail(&ada.email(), "Your loan").await;
    let path = format!("/activity/requests/{}", lent.header("x-request-id"));
    let request = reported(&control, &path).await;
    assert_eq!(states(&request), ["passed"; 9]);
    let attempt = &request["commit"]["attempts"][0];
    assert_eq!(attempt["outcome"], "committed");
    let writes = attempt["writes"].as_array().expect("a list");
    assert!(writes.iter().any(|write| write["event"] == "LoanMade"), "{attempt}");

    let path = format!("{path}/journey");
    let at_rest = async || when(shown(&control, &path).await, |it| it["atRest"] == true);
    let journey = eventually("the journey to be at rest", at_rest).await;
    let nodes = journey["nodes"].as_array().expect("a list");
    assert_eq!(nodes[0]["title"], "POST /loans");
    for (kind, title) in [
        ("invocation", "PostLoanFunction"),
        ("row", "LoanMade"),
        ("invocation", "RelayOutboxFunction"),
        ("message", "LoanEventsQueue"),
        ("invocation", "RemindFunction"),
        ("mail", "Your loan"),
    ] {
        let is_it = |node: &Value| node["kind"] == kind && node["title"] == title;
        assert!(nodes.iter().any(is_it), "no {kind} {title} in {journey}");
    }
}

#[tokio::test]
async fn a_refused_loan_has_its_stage_and_rule_and_nothing_after_it() {
    let api = fresh().await;
    let control = api.control().expect("a platform in this process");
    let book_id = new_book(&api, 1);
    let borrow = async || {
        let call = api.post("/loans", &loan_of(&book_id)).token(&Person::new().member());
        call.key(&unique("key")).send().await
    };
    borrow().await.data(201);

    let refused = borrow().await;

    refused.error(409, "NO_COPY_LEFT");
    let path = format!("/activity/requests/{}", refused.header("x-request-id"));
    let request = reported(&control, &path).await;
    assert_eq!(
        (&request["refusedAt"], &request["rule"]["code"]),
        (&json!("rules"), &json!("NO_COPY_LEFT"))
    );
    let states = states(&request);
    assert_eq!(states[..6], ["passed"; 6]);
    assert_eq!(states[6..], ["refused", "notReached", "notReached"]);
    let late = request["stages"].as_array().expect("a list")[7..].iter();
    assert!(late.clone().all(|stage| stage["tookMs"].is_null()), "{request}");
}

/// A request of which the function has reported the stages. The report may come after the response.
async fn reported(control: &Control, path: &str) -> Value {
    let look = async || {
        when(shown(control, path).await, |it| {
            states(it).iter().all(|state| !["running", "unknown"].contains(&state.as_str()))
        })
    };
    eventually("the stages to be reported", look).await
}

async fn shown(control: &Control, path: &str) -> Value {
    let method = "GET".parse().expect("a method");
    control.call(method, path).send().await.json()
}

fn states(request: &Value) -> Vec<String> {
    let stages = request["stages"].as_array().expect("nine stages").iter();
    stages.map(|stage| stage["state"].as_str().expect("a text").to_owned()).collect()
}
