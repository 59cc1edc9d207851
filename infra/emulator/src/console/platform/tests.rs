use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::routes;
use crate::control::Control;
use crate::control::tests::control;
use crate::faults::{FaultStage, NextFault};

/// The template of the services' tests, whose last function has two routes, one with an authorizer,
/// and a schedule.
const TEMPLATE: &str = concat!(
    include_str!("../../services/tests/template.yaml"),
    "      Events:
        Place: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /orders, Method: post}}
        Show:
          Type: HttpApi
          Properties: {ApiId: !Ref Api, Path: /open, Method: get, Auth: {Authorizer: NONE}}
        Each: {Type: Schedule, Properties: {Schedule: rate(5 minutes)}}
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Tokens
        Authorizers:
          Tokens:
            FunctionArn: !GetAtt IdleFunction.Arn
            AuthorizerPayloadFormatVersion: '2.0'
            EnableSimpleResponses: true
            Identity: {Headers: [Authorization], ReauthorizeEvery: 60}
"
);

struct Running {
    url: String,
    control: Control,
    client: reqwest::Client,
}

async fn running() -> Running {
    let control = control(TEMPLATE, "http://127.0.0.1:3000").await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/activity", listener.local_addr().unwrap());
    let router = routes().with_state(control.clone());
    tokio::spawn(async { axum::serve(listener, router).await });
    Running { url, control, client: reqwest::Client::new() }
}

impl Running {
    async fn asked(&self, path: &str) -> (StatusCode, Value) {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.asked(path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn change(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.url));
        let answer = request.json(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or_default())
    }

    fn put(&self, table: &str, item: &Value) {
        self.control.stores.put_item(table, item).unwrap();
    }
}

fn error(answer: &Value) -> &str {
    answer["error"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn tables_are_listed_with_keys_indexes_and_the_number_of_items() {
    let running = running().await;
    running.put("OrdersTable", &json!({"pk": {"S": "order-1"}}));

    let tables = running.get("/tables").await;

    let tables = tables["tables"].as_array().unwrap();
    let orders = tables.iter().find(|table| table["name"] == "OrdersTable").unwrap();
    assert_eq!(orders["items"], 1);
    assert_eq!(orders["key"]["partition"], json!({"name": "pk", "type": "S"}));
    assert_eq!(orders["indexes"][0]["name"], "by-user");
    assert_eq!(
        (&orders["indexes"][0]["projection"], &orders["ttlAttribute"]),
        (&json!("all"), &json!("expiresAt"))
    );
    let outbox = tables.iter().find(|table| table["name"] == "OutboxTable").unwrap();
    assert_eq!(
        (&outbox["hasStream"], &outbox["key"]["sort"]["name"]),
        (&json!(true), &json!("sk"))
    );
}

#[tokio::test]
async fn items_are_found_by_the_beginning_of_their_key_and_by_text_in_pages() {
    let running = running().await;
    for (pk, sk) in [("a-1", "x"), ("a-1", "y"), ("a-2", "x"), ("b-1", "x")] {
        let item = json!({"pk": {"S": pk}, "sk": {"S": sk}, "note": {"S": format!("Note {pk}")}});
        running.put("OutboxTable", &item);
    }
    let count = async |query: &str| {
        let page = running.get(&format!("/tables/OutboxTable/items?{query}")).await;
        assert_eq!(page["next"], Value::Null);
        page["items"].as_array().unwrap().len()
    };
    for (query, expected) in [
        ("", 4),
        ("pk=a-", 3),
        ("pk=a-1&sk=y", 1),
        ("pk=-1", 0),
        ("text=note%20A-1", 2),
        ("pk=&sk=&text=&after=", 4),
    ] {
        assert_eq!(count(query).await, expected, "{query}");
    }
    let first = running.get("/tables/OutboxTable/items?limit=3").await;
    assert_eq!(first["items"].as_array().unwrap().len(), 3);
    let next = first["next"].as_str().unwrap();
    let second = running.get(&format!("/tables/OutboxTable/items?limit=3&after={next}")).await;
    assert_eq!((second["items"].as_array().unwrap().len(), &second["next"]), (1, &Value::Null));

    for (path, status, reason) in [
        ("/tables/OutboxTable/items?after=x", 400, "`after` is not the `next`"),
        ("/tables/OutboxTable/items?limit=many", 400, "invalid digit"),
        ("/tables/OutboxTable/items?key=a", 400, "unknown field `key`"),
        ("/tables/NoTable/items", 404, "the template has no table NoTable"),
        ("/tables/OutboxTable/history?pk=a", 400, "`sk` is needed"),
        ("/tables/UsersTable/history?pk=a&sk=b", 400, "`sk` is not allowed"),
    ] {
        let (found, answer) = running.asked(path).await;
        assert_eq!(found, status, "{path}");
        assert!(error(&answer).contains(reason), "{path}: {answer}");
    }
    assert_eq!(running.get("/tables/UsersTable/history?pk=a").await, json!({"writes": []}));
}

#[tokio::test]
async fn an_items_secrets_are_not_shown_and_not_found_by_text() {
    let running = running().await;
    let item = json!({"pk": {"S": "ada"}, "password": {"S": "correct horse"}});
    running.put("UsersTable", &item);
    let page = running.get("/tables/UsersTable/items").await;
    assert_eq!(page["items"], json!([{"pk": "ada", "password": "•••"}]));
    let page = running.get("/tables/UsersTable/items?text=horse").await;
    assert_eq!((&page["items"], &page["read"]), (&json!([]), &json!(1)));
}

#[tokio::test]
async fn messages_are_shown_redacted_and_dead_letters_are_moved() {
    let running = running().await;
    let stores = &running.control.stores;
    let queue = stores.names().queue("EmailsDeadLetterQueue").unwrap();
    stores.send(queue, r#"{"to":"ada","token":"abc"}"#).await.unwrap();

    let queues = running.get("/queues").await;
    let queues = queues["queues"].as_array().unwrap();
    let queue = |name: &str| queues.iter().find(|queue| queue["name"] == name).unwrap();
    let dead = queue("EmailsDeadLetterQueue");
    assert_eq!((&dead["visible"], &dead["deadLettersOf"]), (&json!(1), &json!(["EmailsQueue"])));
    let emails = queue("EmailsQueue");
    assert_eq!(emails["deadLetterQueue"], "EmailsDeadLetterQueue");
    assert_eq!((&emails["maxReceiveCount"], &emails["visibilityTimeoutS"]), (&json!(1), &json!(1)));

    let shown = running.get("/queues/EmailsDeadLetterQueue/messages").await;
    let message = &shown["messages"][0];
    let body: Value = serde_json::from_str(message["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({"to": "ada", "token": "•••"}));
    assert_eq!((&message["state"], &message["sentBy"]), (&json!("visible"), &Value::Null));

    let path = "/queues/EmailsDeadLetterQueue/redrive";
    let only = json!({"messageId": "other"});
    let (status, answer) = running.change("POST", path, &only).await;
    assert_eq!(status, 409, "{answer}");
    let (status, moved) = running.change("POST", path, &json!({"messageId": null})).await;
    assert_eq!((status, &moved["moved"], &moved["left"]), (StatusCode::OK, &json!(1), &json!(0)));
    assert_eq!(moved["messages"][0]["queue"], "EmailsQueue");
    let shown = running.get("/queues/EmailsQueue/messages?limit=1").await;
    assert_eq!(shown["messages"][0]["messageId"], moved["messages"][0]["messageId"]);

    let (status, _) = running.change("POST", "/queues/NewsQueue/redrive", &json!({})).await;
    assert_eq!(status, 409);
    assert_eq!(running.asked("/queues/NoQueue/messages").await.0, 404);
}

#[tokio::test]
async fn the_map_has_every_resource_with_its_counts() {
    let running = running().await;
    running.put("UsersTable", &json!({"pk": {"S": "ada"}}));

    let map = running.get("/map").await;

    let node = |id: &str| {
        let nodes = map["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["id"] == id).unwrap_or(&Value::Null).clone()
    };
    let users = json!({
        "id": "table/UsersTable", "kind": "table", "title": "UsersTable", "counts": {"items": 1},
    });
    assert_eq!(node("table/UsersTable"), users);
    assert_eq!(node("queue/EmailsQueue")["counts"]["dead"], 0);
    assert_eq!(node("api/Api")["counts"]["routes"], 2);
    assert_eq!(node("mail/mail")["counts"]["mails"], 0);
    assert_eq!(node("standin/partner")["counts"]["requests"], 0);
    let edges = map["edges"].as_array().unwrap();
    let authorizes = json!({
        "from": "api/Api", "to": "function/IdleFunction", "label": "authorizes by",
    });
    assert!(edges.contains(&authorizes), "{edges:?}");
}

#[tokio::test]
async fn stand_ins_schedules_mails_and_caches_are_shown() {
    let running = running().await;
    let standins = running.get("/standins").await;
    assert_eq!(
        (&standins["standins"][0]["name"], &standins["standins"][0]["state"]),
        (&json!("partner"), &json!("up"))
    );
    let down = json!({"partner": {"products": {"down": true}}});
    let down = serde_json::from_value(down).unwrap();
    running.control.standins.set_faults(&down).unwrap();
    let standins = running.get("/standins").await;
    assert_eq!(standins["standins"][0]["state"], "down");
    assert_eq!(standins["standins"][0]["faults"]["products"]["down"], true);

    let schedules = running.get("/schedules").await;
    let schedule = &schedules["schedules"][0];
    assert_eq!(
        (&schedule["name"], &schedule["state"]),
        (&json!("OrderFunction.Each"), &json!("off"))
    );

    assert_eq!(running.get("/mails").await, json!({"mails": [], "total": 0}));

    running.put("UsersTable", &json!({"pk": {"S": "partner"}, "state": {"S": "OPEN"}}));
    let caches = running.get("/caches").await;
    assert_eq!(caches["authorizers"][0]["authorizer"], "Tokens");
    assert_eq!(
        (&caches["authorizers"][0]["cacheTtlS"], &caches["authorizers"][0]["entries"]),
        (&json!(60), &json!([]))
    );
    assert_eq!(caches["circuits"]["items"], json!([{"pk": "partner", "state": "OPEN"}]));
}

#[tokio::test]
async fn the_next_fault_is_armed_shown_and_cleared() {
    let running = running().await;
    let none = json!({"route": null, "at": null});
    assert_eq!(running.get("/next-fault").await, none);
    let fault = json!({"route": "POST /orders", "at": {"stage": "authentication"}});

    let (status, shown) = running.change("PUT", "/next-fault", &fault).await;

    assert_eq!((status, &shown), (StatusCode::OK, &fault));
    assert_eq!(running.get("/next-fault").await, fault);
    let expected = NextFault::stage(FaultStage::Authentication).of_route("POST /orders");
    assert_eq!(running.control.functions.next_faults().armed(), Some(expected));
    let (status, _) = running.change("DELETE", "/next-fault", &Value::Null).await;
    assert_eq!(status, 204);
    assert_eq!(running.get("/next-fault").await, none);
}

#[tokio::test]
async fn a_fault_that_no_request_can_meet_is_400_with_the_reason() {
    let running = running().await;
    for (fault, reason) in [
        (json!({"at": {"stage": "rules"}}), "`rules` cannot fail by its environment"),
        (json!({"at": {"stage": "rule"}}), "there is no stage `rule`"),
        (json!({"at": {"table": "NoTable"}}), "the template has no table NoTable"),
        (json!({"at": {"queue": "UsersTable"}}), "the template has no queue UsersTable"),
        (json!({"at": {"commit": "during"}}), "unknown variant `during`"),
        (json!({"route": "GET /orders", "at": {"commit": "after"}}), "no route GET /orders"),
        (
            json!({"route": "GET /open", "at": {"stage": "authentication"}}),
            "no function authorizes GET /open",
        ),
        (json!({"rout": "GET /open", "at": {"commit": "after"}}), "unknown field `rout`"),
        (json!({}), "missing field `at`"),
    ] {
        let (status, answer) = running.change("PUT", "/next-fault", &fault).await;
        assert_eq!(status, 400, "{fault}");
        assert!(error(&answer).contains(reason), "{fault}: {answer}");
    }
    let at = json!({"stage": "response"});
    let (status, _) = running.change("PUT", "/next-fault", &json!({"at": at})).await;
    assert_eq!(status, 200);
}
