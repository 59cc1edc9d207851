//! Operators' commands on a running system: dead letters, and an order's history.

use emulator::options::Options;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Control, eventually, fresh_platform, new_product, operate, order_of, shared_platform, when,
};

#[tokio::test]
async fn dead_letters_are_shown_and_redriven_and_none_is_lost() {
    let Some(api) = fresh_platform(Options { demo: true, ..Options::default() }).await else {
        return;
    };
    let control = api.control().unwrap();
    let stores = api.inside().unwrap().platform().stores();
    let letters = stores.names().queue("EmailsDeadLetterQueue").unwrap();
    for _ in 0..23 {
        stores.send(letters, &confirmation().to_string()).await.unwrap();
    }

    let shown = operate(&api, &["dead-letters", "show", "emails"]).await.unwrap();
    assert_eq!(shown.last().unwrap(), "23 of 23 dead letters of emails shown");
    assert!(shown[0].contains("OrderCreated"), "{}", shown[0]);

    let said = operate(&api, &["dead-letters", "redrive", "emails"]).await.unwrap();
    assert_eq!(said.last().unwrap(), "done: 23 dead letters put back into emails");
    let all = async || when(control.mails("customer@example.com").await.len(), |seen| *seen == 23);
    eventually("a mail for each dead letter", all).await;
    assert_eq!(letters_in(&control).await, (0, 0));
}

#[tokio::test]
async fn a_dropped_dead_letter_is_gone_and_its_token_is_not_shown() {
    let Some(api) = fresh_platform(Options::default()).await else { return };
    let stores = api.inside().unwrap().platform().stores();
    let letters = stores.names().queue("EmailsDeadLetterQueue").unwrap();
    for body in [r#"{"token":"s3cr3t"}"#, "{}"] {
        stores.send(letters, body).await.unwrap();
    }

    let shown = operate(&api, &["dead-letters", "show", "emails"]).await.unwrap();
    let with_token = shown.iter().find(|line| line.contains("token")).unwrap();
    assert!(!with_token.contains("s3cr3t"), "{with_token}");
    let full = operate(&api, &["dead-letters", "show", "emails", "--bodies"]).await.unwrap();
    assert!(full.iter().any(|line| line.contains("s3cr3t")), "{full:?}");

    let id = with_token.split([' ', ':']).find(|word| word.len() == 36).unwrap();
    let said = operate(&api, &["dead-letters", "drop", "emails", id]).await.unwrap();
    assert!(said[0].contains(id), "{said:?}");
    assert_eq!(letters_in(&api.control().unwrap()).await, (1, 0));
    let error = operate(&api, &["dead-letters", "drop", "emails", id]).await.unwrap_err();
    assert!(error.contains(id), "{error}");
}

#[tokio::test]
async fn an_orders_history_has_its_events_credit_and_projection() {
    let api = shared_platform().await;
    let Some(control) = api.control() else { return };
    let customer = api.person("customer").await;
    let product = new_product(&api.person("merchant").await, 5).await;
    let order = order_of(product, 1);
    let order = customer.create_order(&order, None).await.unwrap().data.order_id;
    eventually("the order to be approved", async || {
        let stored = control.item("OrdersTable", order).await;
        when(stored, |order| order["status"] == "APPROVED")
    })
    .await;
    customer.delete_order(order).await.unwrap();
    let relayed = async || control.relayed("OrderDeleted", order).await;
    eventually("the event to be relayed", relayed).await;

    let order = order.to_string();
    let told = operate(&api, &["history", &order]).await.unwrap();
    for part in
        [&order, "OrderCreated", "OrderDeleted", "relayed at", "emails: ", "credit", "projection"]
    {
        assert!(told.iter().any(|line| line.contains(part)), "{part} in {told:#?}");
    }
}

#[tokio::test]
async fn a_command_for_an_unknown_object_fails_and_names_it() {
    let api = shared_platform().await;
    if api.inside().is_none() {
        return;
    }
    let unknown = Uuid::new_v4().to_string();
    for (arguments, said) in [
        (vec!["dead-letters", "show", "email"], "there is no queue `email`"),
        (vec!["dead-letters", "redrive", "outbox"], "come from no queue"),
        (vec!["history", &unknown], "there is no order"),
        (vec!["history", "not-an-id"], "invalid value"),
        (vec!["rebuild"], "unrecognized subcommand"),
    ] {
        let error = operate(&api, &arguments).await.unwrap_err();
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
}

/// The message that requests a mail to the demo's customer, from the event fixture.
fn confirmation() -> Value {
    let event: Value = serde_json::from_str(include_str!("../../events/send_email.json")).unwrap();
    let body = event["Records"][0]["body"].as_str().unwrap();
    let mut envelope: Value = serde_json::from_str(body).unwrap();
    envelope["eventId"] = json!(Uuid::new_v4());
    envelope
}

async fn letters_in(control: &Control) -> (u64, u64) {
    let report = control.queue("EmailsDeadLetterQueue").await;
    (report["visible"].as_u64().unwrap(), report["inFlight"].as_u64().unwrap())
}
