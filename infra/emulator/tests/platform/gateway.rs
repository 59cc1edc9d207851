//! Tests of API Gateway: routes, authorizer, limits, and its own error responses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use emulator::activity::RequestFilter;
use emulator::activity::view::Stage;
use emulator::control::Telemetry;
use emulator::functions::{FunctionConfig, Functions};
use emulator::gateway::Gateway;
use reqwest::{Client, StatusCode};
use sam_template::{
    Api as Described, ApiKind, Authorizer, AuthorizerFormat, Route, Template, Throttle,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{deployment, start};

/// A gateway in front of the probe; the probe is also its authorizer.
struct Api {
    url: String,
    functions: Functions,
    client: Client,
    task: JoinHandle<()>,
}

impl Api {
    async fn start(throttle: Option<Throttle>) -> Self {
        Self::of(ApiKind::Http, "$default", AuthorizerFormat::Simple, throttle).await
    }

    /// A gateway for a REST API.
    async fn rest() -> Self {
        let kind = ApiKind::Rest { binary_media_types: Vec::new() };
        Self::of(kind, "Prod", AuthorizerFormat::Token, None).await
    }

    async fn of(
        kind: ApiKind,
        stage: &str,
        format: AuthorizerFormat,
        throttle: Option<Throttle>,
    ) -> Self {
        let authorizer =
            FunctionConfig { logical_id: "AuthorizerFunction".to_owned(), ..deployment() };
        let functions = start(vec![deployment(), authorizer]);
        let api = Described {
            logical_id: "Api".to_owned(),
            kind,
            stage: stage.to_owned(),
            routes: vec![route("POST", "/open/{id}", None), route("GET", "/closed", Some("Token"))],
            authorizers: BTreeMap::from([(
                "Token".to_owned(),
                Authorizer {
                    function: "AuthorizerFunction".to_owned(),
                    format,
                    identity_headers: vec!["authorization".to_owned()],
                    identity_query_strings: Vec::new(),
                    cache_ttl: Duration::from_mins(5),
                },
            )]),
            jwt_authorizers: BTreeMap::new(),
            cors: None,
            throttle,
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let gateway = Gateway::new(&api, functions.clone(), &Arc::new(Telemetry::default()));
        let task = tokio::spawn(gateway.serve(listener));
        Self { url, functions, client: Client::new(), task }
    }

    async fn closed(&self, token: Option<&str>) -> (StatusCode, Value) {
        let mut request = self.client.get(format!("{}/closed", self.url));
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    fn authorizer_invocations(&self) -> u64 {
        self.functions.counts()["AuthorizerFunction"].invocations
    }

    async fn stop(self) {
        self.task.abort();
        self.functions.stop().await;
    }
}

fn route(method: &str, path: &str, authorizer: Option<&str>) -> Route {
    Route {
        method: method.to_owned(),
        path: path.to_owned(),
        function: "ProbeFunction".to_owned(),
        authorizer: authorizer.map(ToOwned::to_owned),
        timeout: None,
    }
}

#[tokio::test]
async fn a_request_reaches_its_function_and_the_response_its_client() {
    let api = Api::start(None).await;

    let request = api.client.post(format!("{}/open/7?a=1&a=2", api.url)).json(&json!({"b": 1}));
    let response = request.send().await.unwrap();

    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    let id = response.headers()["apigw-requestid"].to_str().unwrap().to_owned();
    assert_eq!(id.len(), 16);
    let event: Value = response.json().await.unwrap();
    assert_eq!(event["routeKey"], "POST /open/{id}");
    assert_eq!(event["pathParameters"]["id"], "7");
    assert_eq!(event["queryStringParameters"]["a"], "1,2");
    assert_eq!(event["body"], r#"{"b":1}"#);
    assert_eq!(event["requestContext"]["requestId"], id.as_str());
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    api.stop().await;
}

#[tokio::test]
async fn each_request_is_recorded_with_its_invocations_or_the_gateways_refusal() {
    let api = Api::start(None).await;
    let activity = api.functions.activity().clone();
    let request = api.client.post(format!("{}/open/7?a=1", api.url)).json(&json!({"b": 1}));
    let id = request.send().await.unwrap().headers()["apigw-requestid"].clone();
    api.closed(Some("good")).await;
    api.closed(Some("good")).await;
    api.closed(Some("bad")).await;
    api.client.get(format!("{}/nothing", api.url)).send().await.unwrap();

    let page = activity.requests(&RequestFilter::default());

    let rows = page.requests.iter().rev();
    let rows: Vec<_> = rows.map(|row| (row.status, row.refused_at, row.route.as_deref())).collect();
    let closed = Some("GET /closed");
    assert_eq!(
        rows,
        [
            (Some(200), None, Some("POST /open/{id}")),
            (Some(200), None, closed),
            (Some(200), None, closed),
            (Some(403), Some(Stage::Authentication), closed),
            (Some(404), Some(Stage::Routing), None),
        ]
    );
    let detail = activity.request(id.to_str().unwrap()).unwrap();
    assert_eq!(detail.answer.unwrap().by, "function");
    assert_eq!(detail.received.body_bytes, r#"{"b":1}"#.len());
    let invocation = detail.invocation.unwrap();
    assert_eq!(invocation.function, "ProbeFunction");
    assert!(invocation.waited_ms.is_some() && invocation.took_ms.is_some());
    let cached = |place: usize| {
        let detail = activity.request(&page.requests[place].id).unwrap();
        detail.verdicts[0].cached
    };
    assert_eq!((cached(3), cached(2)), (false, true));
    api.stop().await;
}

#[tokio::test]
async fn a_path_or_method_without_a_route_is_404() {
    let api = Api::start(None).await;

    for (method, path) in [("GET", "/open/7"), ("POST", "/nothing"), ("POST", "/open/7/")] {
        let method = method.parse().unwrap();
        let response =
            api.client.request(method, format!("{}{path}", api.url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(response.json::<Value>().await.unwrap(), json!({"message": "Not Found"}));
    }
    assert_eq!(api.functions.counts()["ProbeFunction"].invocations, 0);
    api.stop().await;
}

#[tokio::test]
async fn without_a_token_the_response_is_401_without_an_invocation() {
    let api = Api::start(None).await;

    let answer = api.closed(None).await;

    assert_eq!(answer, (StatusCode::UNAUTHORIZED, json!({"message": "Unauthorized"})));
    assert_eq!(api.authorizer_invocations(), 0);
    api.stop().await;
}

#[tokio::test]
async fn the_authorizers_result_decides_between_200_403_and_500() {
    let api = Api::start(None).await;
    let cases = [
        ("bad", StatusCode::FORBIDDEN, "Forbidden"),
        ("unknown", StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        ("broken", StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    ];

    for (token, status, message) in cases {
        assert_eq!(api.closed(Some(token)).await, (status, json!({"message": message})));
    }
    let (status, event) = api.closed(Some("good")).await;

    assert_eq!(status, StatusCode::OK);
    assert_eq!(event["requestContext"]["authorizer"]["lambda"], json!({"sub": "u1"}));
    api.stop().await;
}

#[tokio::test]
async fn a_hundred_requests_with_one_token_invoke_the_authorizer_once() {
    let api = Api::start(None).await;

    let answers = futures::future::join_all((0..100).map(|_| api.closed(Some("good")))).await;

    assert!(answers.iter().all(|(status, _)| *status == StatusCode::OK));
    assert_eq!(api.authorizer_invocations(), 1);
    api.stop().await;
}

#[tokio::test]
async fn a_denial_is_cached_and_a_failed_authorizer_call_is_not() {
    let api = Api::start(None).await;

    for token in ["bad", "bad", "broken", "broken", "unknown", "unknown"] {
        api.closed(Some(token)).await;
    }

    assert_eq!(api.authorizer_invocations(), 1 + 2 + 2);
    api.stop().await;
}

#[tokio::test]
async fn a_request_with_no_host_or_two_is_400() {
    let api = Api::start(None).await;
    let address = api.url.trim_start_matches("http://");
    for (hosts, status) in [
        (&["a.example"][..], 404),
        (&["a.example", "b.example"], 400),
        (&["a.example", "a.example"], 400),
        (&[], 400),
        (&["not a host"], 400),
    ] {
        let lines: Vec<String> = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        let lines = lines.concat();
        let request = format!("GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n");
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{hosts:?}: {answer}");
    }
    api.stop().await;
}

#[tokio::test]
async fn a_header_or_body_that_is_too_large_is_rejected_uninvoked() {
    let api = Api::start(None).await;
    let url = format!("{}/open/7", api.url);

    let body = api.client.post(&url).body(vec![b'x'; 10 * 1024 * 1024 + 1]).send().await.unwrap();
    let header = api.client.post(&url).header("x-large", "x".repeat(10_240)).send().await.unwrap();

    assert_eq!(body.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let message: Value = body.json().await.unwrap();
    assert_eq!(message, json!({"message": "Request Entity Too Large"}));
    assert_eq!(header.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(api.functions.counts()["ProbeFunction"].invocations, 0);
    api.stop().await;
}

#[tokio::test]
async fn an_invalid_function_response_is_500() {
    let api = Api::start(None).await;

    let response = api.client.post(format!("{}/open/7?nonsense=1", api.url)).send().await.unwrap();

    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let message: Value = response.json().await.unwrap();
    assert_eq!(message, json!({"message": "Internal Server Error"}));
    let page = api.functions.activity().requests(&RequestFilter::default());
    assert_eq!(page.requests[0].refused_at, Some(Stage::Response));
    api.stop().await;
}

#[tokio::test]
async fn a_request_above_the_stage_throttle_is_429() {
    let api = Api::start(Some(Throttle { burst: 1, rate_per_s: 0.001 })).await;
    let url = format!("{}/open/7", api.url);

    let first = api.client.post(&url).send().await.unwrap();
    let second = api.client.post(&url).send().await.unwrap();

    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(second.status(), StatusCode::TOO_MANY_REQUESTS);
    let message: Value = second.json().await.unwrap();
    assert_eq!(message, json!({"message": "Too Many Requests"}));
    api.stop().await;
}

#[tokio::test]
async fn a_rest_api_passes_the_proxy_event_below_its_stage() {
    let api = Api::rest().await;

    let request = api.client.post(format!("{}/Prod/open/a%20b?a=1&a=2", api.url)).body("hi");
    let response = request.send().await.unwrap();

    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    assert!(response.headers().contains_key("x-amzn-requestid"));
    let event: Value = response.json().await.unwrap();
    assert_eq!((&event["resource"], &event["path"]), (&json!("/open/{id}"), &json!("/open/a%20b")));
    assert_eq!(event["requestContext"]["path"], "/Prod/open/a%20b");
    assert_eq!(event["pathParameters"]["id"], "a%20b");
    assert_eq!(event["multiValueQueryStringParameters"]["a"], json!(["1", "2"]));
    assert_eq!(event["body"], "hi");
    api.stop().await;
}

#[tokio::test]
async fn a_rest_api_without_the_route_or_stage_is_403() {
    let api = Api::rest().await;

    for (path, message) in
        [("/Prod/nothing", "Missing Authentication Token"), ("/open/7", "Forbidden")]
    {
        let response = api.client.post(format!("{}{path}", api.url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path}");
        assert_eq!(response.json::<Value>().await.unwrap(), json!({"message": message}));
    }
    api.stop().await;
}

#[tokio::test]
async fn the_policy_of_a_rest_apis_authorizer_decides_between_200_401_and_403() {
    let mut api = Api::rest().await;
    api.url.push_str("/Prod");

    assert_eq!(api.closed(None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(api.closed(Some("unknown")).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(api.closed(Some("bad")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(api.closed(Some("broken")).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    let (status, event) = api.closed(Some("good")).await;

    assert_eq!(status, StatusCode::OK);
    let expected = json!({"principalId": "u1", "sub": "u1"});
    assert_eq!(event["requestContext"]["authorizer"], expected);
    api.stop().await;
}

#[tokio::test]
async fn several_apis_are_below_their_logical_ids() {
    const TEMPLATE: &str = "Resources:
  ProbeFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: probe}}
    Properties:
      Runtime: provided.al2023
      FunctionUrlConfig: {AuthType: AWS_IAM}
      Events:
        Http: {Type: HttpApi}
        Rest: {Type: Api, Properties: {Path: /a, Method: get}}
";
    let template = Template::parse(TEMPLATE, &BTreeMap::new()).unwrap();
    let functions = start(vec![deployment()]);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let gateway = Gateway::of(&template, &functions, &Arc::new(Telemetry::default()));
    let task = tokio::spawn(gateway.serve(listener));

    let client = Client::new();
    let get = async |path: &str, authorization: &str| {
        let request = client.get(format!("{url}{path}")).header("authorization", authorization);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };

    let (status, answer) = get("/a", "-").await;
    assert_eq!(status, 404);
    assert!(answer["message"].as_str().unwrap().contains("/_apis/ServerlessHttpApi"), "{answer}");
    let (status, event) = get("/_apis/ServerlessHttpApi/x/y", "-").await;
    assert_eq!((status, &event["rawPath"]), (200, &json!("/x/y")));
    assert_eq!(event["routeKey"], "$default");
    let (status, event) = get("/_apis/ServerlessRestApi/Prod/a", "-").await;
    assert_eq!((status, &event["resource"]), (200, &json!("/a")));
    assert_eq!(get("/_apis/ProbeFunctionUrl/", "-").await.0, 403);
    let (status, event) =
        get("/_apis/ProbeFunctionUrl?q=1", "AWS4-HMAC-SHA256 Credential=AKIA1/x").await;
    assert_eq!((status, &event["rawQueryString"]), (200, &json!("q=1")));
    assert_eq!(event["requestContext"]["authorizer"]["iam"]["accessKey"], "AKIA1");
    task.abort();
    functions.stop().await;
}
