use std::collections::BTreeMap;
use std::sync::Arc;

use sam_template::Template;
use serde_json::json;

use super::*;
use crate::event_sources::Schedules;
use crate::functions::{Functions, LogLine, LogSink};
use crate::gateway::Gateway;
use crate::services::Stores;
use crate::standins::sample;

mod clock;
mod docs;

struct Running {
    url: String,
    control: Control,
    client: reqwest::Client,
}

/// The control address with the stores of a template and no functions.
async fn running() -> Running {
    running_beside("http://127.0.0.1:3000").await
}

/// The same, for an API at this address.
async fn running_beside(api_url: &str) -> Running {
    let control = control(include_str!("../services/tests/template.yaml"), api_url).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, control.clone(), std::future::pending()));
    Running { url, control, client: reqwest::Client::new() }
}

/// The parts of a platform with the stores of a template and no functions.
pub(crate) async fn control(template: &str, api_url: &str) -> Control {
    let template = Template::parse(template, &BTreeMap::new()).unwrap();
    let logs: LogSink = Arc::new(|_: &LogLine<'_>| {});
    let stores = Stores::start(&template, None).await.unwrap();
    let functions =
        Functions::start_recording(Vec::new(), &logs, stores.clock(), stores.activity());
    let telemetry = Arc::default();
    Control {
        accounts: Arc::default(),
        counts: Arc::default(),
        stores,
        gateway: Gateway::of(&template, &functions, &telemetry),
        template: Arc::new(template),
        functions,
        standins: sample::standins().await,
        schedules: Schedules::default(),
        telemetry,
        circuits: Some("UsersTable"),
        api_url: api_url.to_owned(),
        description: None,
        openapi: None,
    }
}

impl Running {
    async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn put_faults(&self, faults: &str) -> (u16, Value) {
        let request = self.client.put(format!("{}/faults", self.url)).body(faults.to_owned());
        let request = request.header("content-type", "application/json");
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn faults_are_set_shown_and_cleared() {
    let running = running().await;
    let faults = r#"{"seed": 7, "tables": {"UsersTable": {"throttle": 0.5}}, "coldStarts": true}"#;

    let (status, set) = running.put_faults(faults).await;

    assert_eq!(status, 200);
    assert_eq!((&set["seed"], &set["coldStarts"]), (&json!(7), &json!(true)));
    assert_eq!(set["tables"]["UsersTable"]["throttle"], 0.5);
    assert_eq!(running.get("/faults").await, set);

    let cleared = running.client.delete(format!("{}/faults", running.url)).send().await.unwrap();
    assert_eq!(cleared.status(), 204);
    assert_eq!(running.get("/faults").await["tables"], json!({}));
}

#[tokio::test]
async fn a_stand_in_fails_by_the_faults_and_shows_its_requests() {
    let running = running().await;
    let partner = &running.control.standins.parameters()["PartnerUrl"];
    let list = || running.client.get(format!("{partner}/v2/product-list")).bearer_auth("hush");
    let faults = r#"{"standins": {"partner": {"products": {
        "answer": {"status": 403, "body": {"code": "P08"}, "retryAfterS": 3}, "times": 1
    }}}}"#;
    assert_eq!(running.put_faults(faults).await.0, 200);

    let refused = list().header("x-request-id", "r-1").send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (403, &"3".parse().unwrap())
    );
    assert_eq!(refused.json::<Value>().await.unwrap(), json!({"code": "P08"}));
    assert_eq!(list().send().await.unwrap().status(), 401, "once only");
    running.put_faults(r#"{"standins": {"partner": {"products": {"down": true}}}}"#).await;
    assert!(list().send().await.is_err(), "there is no response");

    let asked = running.get("/standins/partner").await;
    assert_eq!(asked["counts"]["/v2/product-list"], 3);
    assert_eq!(asked["requests"][0]["headers"]["x-request-id"], "r-1");
    assert!(!asked.to_string().contains("hush"), "{asked}");
}

#[tokio::test]
async fn the_environment_has_endpoints_and_names_for_a_shell() {
    let running = running().await;
    let answer = running.client.get(format!("{}/environment", running.url)).send().await.unwrap();
    let script = answer.text().await.unwrap();
    let endpoint = running.control.stores.endpoint();
    for line in [
        "export USERS_TABLE='local-UsersTable'".to_owned(),
        format!("export EMAILS_QUEUE_URL='{endpoint}/000000000000/local-EmailsQueue'"),
        format!("export AWS_ENDPOINT_URL='{endpoint}'"),
    ] {
        assert!(script.lines().any(|known| known == line), "{line} in {script}");
    }
}

#[tokio::test]
async fn invalid_faults_are_an_error_with_the_reason() {
    let running = running().await;
    let cases = [
        ("", "EOF"),
        ("{} {}", "trailing characters"),
        (r#"{"queus": {}}"#, "unknown field `queus`"),
        (r#"{"tables": {"UsersTable": {"throttle": 2}}}"#, "at tables.UsersTable.throttle: a rate"),
        (r#"{"tables": {"EmailsQueue": {}}}"#, "the template has no table EmailsQueue"),
        (r#"{"kill": {"Nobody": {}}}"#, "the template has no function Nobody"),
        (r#"{"standins": {"partner": {"prodcts": {}}}}"#, "at standins.partner.prodcts: unknown"),
        (r#"{"standins": {"partnr": {}}}"#, "at standins.partnr: unknown field `partnr`"),
    ];
    for (faults, reason) in cases {
        let (status, answer) = running.put_faults(faults).await;
        assert_eq!(status, 400, "{faults}");
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(reason), "{faults}: {error}");
    }
}

#[tokio::test]
async fn a_request_is_shown_with_its_stages_and_counted_in_metrics() {
    let running = running().await;
    let line = json!({
        "_aws": {"Timestamp": 1, "CloudWatchMetrics": [{
            "Namespace": "shop",
            "Dimensions": [["method", "path", "status"]],
            "Metrics": [{"Name": "http_requests_total"}],
        }]},
        "message": "request",
        "requestId": "request-1",
        "method": "GET",
        "path": "/users/{userId}",
        "status": "200",
        "stages": {"authenticate": 0.1},
        "http_requests_total": 1,
    });
    running.control.telemetry.observe_line(&line.to_string());
    running.control.telemetry.observe_line("not json");
    running.control.telemetry.count("authorizer_cache_hits_total", &[]);

    let shown = running.get("/requests?requestId=request-1").await;
    assert_eq!(shown["requests"][0]["stages"], json!({"authenticate": 0.1}));
    assert_eq!(shown["requests"][0].get("_aws"), None);
    assert_eq!(running.get("/requests?requestId=other").await, json!({"requests": []}));

    assert_eq!(running.get("/logs").await, json!({"lines": [line, "not json"]}));
    assert_eq!(running.get("/logs?requestId=request-1").await, json!({"lines": [line]}));

    let metrics = running.client.get(format!("{}/metrics", running.url)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let counted = r#"http_requests_total{method="GET",path="/users/{userId}",status="200"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
    assert!(metrics.contains("authorizer_cache_hits_total 1"), "{metrics}");
}

#[tokio::test]
async fn tables_queues_and_mails_are_shown() {
    let running = running().await;
    let item = json!({"pk": {"S": "user-1"}, "age": {"N": "7"}});
    running.control.stores.put_item("UsersTable", &item).unwrap();

    let table = running.get("/tables/UsersTable").await;
    assert_eq!(table["items"], json!([{"pk": "user-1", "age": 7}]));
    let missing =
        running.client.get(format!("{}/tables/Nothing", running.url)).send().await.unwrap();
    assert_eq!(missing.status(), 404);

    assert_eq!(running.get("/queues").await["queues"].as_array().unwrap().len(), 6);
    assert_eq!(running.get("/mailbox?to=a@example.com").await, json!({"mails": []}));
    assert_eq!(running.get("/invocations").await, json!({"invocations": []}));
    assert_eq!(running.get("/").await["api"], "http://127.0.0.1:3000");
    let page = running.client.get(&running.url).header("accept", "text/html,*/*;q=0.8").send();
    let page = page.await.unwrap().text().await.unwrap();
    assert!(page.contains("<script type=\"module\" src=\"console/"), "{page}");
}

#[tokio::test]
async fn a_browser_gets_indented_json_and_a_program_one_line() {
    let running = running().await;
    let text = async |accept: &str| {
        let asked = running.client.get(format!("{}/queues", running.url)).header("accept", accept);
        asked.send().await.unwrap().text().await.unwrap()
    };
    let (indented, line) = (text("text/html,*/*;q=0.8").await, text("*/*").await);
    assert!(indented.starts_with("{\n  \"queues\": [\n"), "{indented}");
    assert_eq!(line.lines().count(), 1);
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(value(&indented), value(&line));
}

#[tokio::test]
async fn a_message_can_be_sent_to_a_queue() {
    let running = running().await;
    let send = async |queue: &str| {
        let request = running.client.post(format!("{}/queues/{queue}", running.url));
        let request = request.header("content-type", "application/json");
        request.body(r#"{"hello":"queue"}"#).send().await.unwrap().status().as_u16()
    };
    assert_eq!(send("NoSuchQueue").await, 404);
    let report = running.get("/queues").await["queues"][0].clone();
    assert_eq!(send(report["queue"].as_str().unwrap()).await, 204);
    let report = running.get("/queues").await["queues"][0].clone();
    assert_eq!(report["visible"], 1);
    assert_eq!(report["messages"][0]["body"], r#"{"hello":"queue"}"#);
}

#[tokio::test]
async fn a_request_from_another_origin_is_403_and_a_form_415() {
    let running = running().await;
    let queue = running.get("/queues").await["queues"][0]["queue"].as_str().unwrap().to_owned();
    let queue = format!("/queues/{queue}");
    let rebound = ("host", "attacker.example");
    let foreign = ("origin", "https://attacker.example");
    for (method, path, header, body, status) in [
        ("GET", "/tables/UsersTable", rebound, "", 403),
        ("GET", "/mailbox", rebound, "", 403),
        ("GET", "/environment", rebound, "", 403),
        ("GET", "/no/such/address", rebound, "", 403),
        ("GET", "/mailbox", foreign, "", 403),
        ("GET", "/mailbox", ("sec-fetch-site", "cross-site"), "", 403),
        ("PUT", "/faults", rebound, "{}", 403),
        ("PUT", "/faults", foreign, "{}", 403),
        ("DELETE", "/faults", foreign, "", 403),
        ("DELETE", "/mailbox", foreign, "", 403),
        ("POST", "/schedules/Function", foreign, "", 403),
        ("POST", "/functions/Function/invocations", rebound, "{}", 403),
        ("POST", "/functions/Function/invocations", foreign, "{}", 403),
        ("POST", "/functions/Function/invocations", ("content-type", "text/plain"), "{}", 415),
        ("POST", &queue, foreign, "{}", 403),
        ("POST", &queue, ("content-type", "text/plain"), "{}", 415),
        ("POST", &queue, ("content-type", "application/x-www-form-urlencoded"), "{}", 415),
        ("PUT", "/faults", ("content-type", "multipart/form-data"), "{}", 415),
        ("POST", &queue, ("content-type", "application/json"), "{}", 204),
    ] {
        let method = method.parse().unwrap();
        let request = running.client.request(method, format!("{}{path}", running.url));
        let answer = request.header(header.0, header.1).body(body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {header:?}");
        if status != 204 {
            let answer: Value = answer.json().await.unwrap();
            assert!(answer["error"].is_string(), "{path} {header:?}: {answer}");
        }
    }
    let taken = running.get("/queues").await["queues"][0]["visible"].clone();
    assert_eq!(taken, 1, "only the JSON request that no page sent");
}

#[tokio::test]
async fn an_invocation_of_an_unknown_function_is_404_and_an_event_that_is_not_json_400() {
    let running = running().await;
    let url = format!("{}/functions/NoFunction/invocations", running.url);
    let large = format!("\"{}\"", "x".repeat(5_000_000));
    for (event, status, reason) in [
        ("{}", 404, "there is no function NoFunction"),
        ("", 404, "there is no function NoFunction"),
        (&large, 404, "there is no function NoFunction"),
        ("{", 400, "the event is not JSON: "),
    ] {
        let request = running.client.post(&url).header("content-type", "application/json");
        let answer = request.body(event.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{reason}");
        let error = answer.json::<Value>().await.unwrap()["error"].clone();
        assert!(error.as_str().unwrap().starts_with(reason), "{error}");
    }
}

#[tokio::test]
async fn an_error_of_the_router_or_of_a_reader_is_json_like_all_others() {
    let running = running().await;
    for (method, path, status, reason) in [
        ("DELETE", "/queues", 405, "Method Not Allowed"),
        ("PUT", "/activity/mails", 405, "Method Not Allowed"),
        ("GET", "/logs?colour=red", 400, "unknown field `colour`"),
        ("GET", "/tables/%ff", 400, "UTF-8"),
    ] {
        let method: reqwest::Method = method.parse().unwrap();
        let request = running.client.request(method, format!("{}{path}", running.url));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{path}");
        assert_eq!(answer.headers().contains_key("allow"), status == 405, "{path}");
        let error = answer.json::<Value>().await.unwrap()["error"].clone();
        assert!(error.as_str().unwrap().contains(reason), "{path}: {error}");
    }
}
