//! HTTP triggers, and responses of other forms than JSON: a table for members of a user pool.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, header};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::recorder::Recorder;
use super::{ask, endpoint, get_note, shared, with};
use crate::caller::claims::{date_passed_on, names_passed_on};
use crate::endpoint::{Allow, Query};
use crate::error::{BoxError, Retrieved};
use crate::input::{Cookies, Path};
use crate::reply::{self, Body, View};
use crate::resource::Resources;
use crate::route::Route;
use crate::runtime::invocation::{Handled, Handler as _, Invocation};
use crate::{Access, Authorizer, Claims, Deadline, Identity, Permit, Timestamp};

#[derive(Debug, Clone)]
struct Member {
    id: String,
    groups: Vec<String>,
    expires_at: Timestamp,
}

#[derive(Debug, Clone, Copy)]
enum Role {
    Librarian,
}

impl Identity for Member {
    type Role = Role;
    const AUTHORIZER: Authorizer = Authorizer::Jwt;

    fn from_claims(claims: &Claims) -> Option<Self> {
        Some(Self {
            id: claims.get("sub")?.as_str()?.to_owned(),
            groups: names_passed_on(claims.get("cognito:groups"))?,
            expires_at: date_passed_on(claims.get("exp")?)?,
        })
    }

    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    fn subject(&self) -> String {
        self.id.clone()
    }

    fn has(&self, role: Role) -> bool {
        match role {
            Role::Librarian => self.groups.iter().any(|group| group == "librarians"),
        }
    }
}

struct Stock(Vec<u8>);

impl View for Stock {
    const MEDIA_TYPE: &'static str = "text/csv; charset=utf-8";

    fn body(self) -> Result<Body, BoxError> {
        Ok(self.0.into())
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

#[derive(Debug, eserde::Deserialize, JsonSchema)]
struct Seen {
    #[serde(default)]
    visits: Option<u8>,
}

struct GetStock;

impl Query for GetStock {
    const ROUTE: Route = Route::get("/stock/{shelf}");
    type Caller = Member;
    const ACCESS: Access<Role> = Access::OneOf(&[Role::Librarian]);
    const RESOURCES: Resources = &[];

    type Input = (Path<String>, Cookies<Seen>);
    type Command = (String, Seen);

    type Facts = (String, u8);

    async fn retrieve(
        &self,
        _: &Permit<Member>,
        (shelf, seen): &(String, Seen),
    ) -> Retrieved<(String, u8)> {
        Ok((shelf.clone(), seen.visits.unwrap_or_default()))
    }

    const ALLOW: Allow<Self> = Allow::Always;

    type Reply = reply::Ok<Stock>;

    fn reply((shelf, visits): (String, u8)) -> reply::Ok<Stock> {
        let set = |value: String| HeaderValue::from_str(&value).unwrap();
        reply::Ok::of(Stock(format!("{shelf},3\r\n").into_bytes()))
            .header(header::SET_COOKIE, set(format!("visits={}", visits + 1)))
            .header(header::SET_COOKIE, set("theme=dark".to_owned()))
    }
}

async fn handled(event: &Value) -> Handled {
    let handler = endpoint::Handler::new(GetStock, shared(&Arc::new(Recorder::default())));
    let invocation = Invocation {
        invocation_id: "invocation-1".to_owned(),
        event: Bytes::from(event.to_string()),
        deadline: Deadline::after(Duration::from_secs(10)),
        x_ray: None,
        cold_start: false,
    };
    handler.handle(invocation).await
}

async fn answered(event: &Value) -> Value {
    serde_json::to_value(handled(event).await.answer.unwrap()).unwrap()
}

fn claims() -> Value {
    json!({ "sub": "ada", "exp": "32503680000", "cognito:groups": "[readers librarians]" })
}

fn request() -> Value {
    json!({
        "version": "2.0", "routeKey": "GET /stock/{shelf}", "rawPath": "/prod/stock/a b",
        "rawQueryString": "", "cookies": ["visits=2"], "headers": { "accept": "text/csv" },
        "pathParameters": { "shelf": "a b" },
        "requestContext": {
            "stage": "prod", "http": { "method": "GET", "sourceIp": "192.0.2.1" },
            "authorizer": { "jwt": { "claims": claims(), "scopes": null } },
        },
    })
}

#[tokio::test]
async fn an_http_api_is_answered_in_format_2_with_its_cookies() {
    let answer = answered(&request()).await;
    assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(200), &json!("a b,3\r\n")));
    assert_eq!(answer["headers"]["content-type"], "text/csv; charset=utf-8");
    assert_eq!(answer["cookies"], json!(["visits=3", "theme=dark"]));
}

#[tokio::test]
async fn a_rest_api_is_answered_in_format_1_with_lists_of_headers() {
    let event = json!({
        "resource": "/stock/{shelf}", "path": "/stock/a%20b", "httpMethod": "GET",
        "headers": { "Cookie": "visits=2" }, "multiValueHeaders": { "Cookie": ["visits=2"] },
        "pathParameters": { "shelf": "a%20b" }, "body": null,
        "requestContext": {
            "path": "/prod/stock/a%20b", "stage": "prod", "identity": { "sourceIp": "192.0.2.1" },
            "authorizer": { "claims": claims() },
        },
    });
    let answer = answered(&event).await;
    assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(200), &json!("a b,3\r\n")));
    let headers = &answer["multiValueHeaders"];
    assert_eq!(headers["set-cookie"], json!(["visits=3", "theme=dark"]));
    assert_eq!(headers["content-type"], json!(["text/csv; charset=utf-8"]));
}

#[tokio::test]
async fn a_caller_is_read_from_the_authorizer_that_it_names() {
    let authorizer = "/requestContext/authorizer";
    for (context, status) in [
        (json!({ "jwt": { "claims": claims() } }), 200),
        (json!({ "lambda": claims() }), 401),
        (json!({ "iam": { "userArn": "arn", "sub": "ada" } }), 401),
        (json!({ "lambda": { "verdict": "refused" }, "jwt": { "claims": claims() } }), 401),
        (json!(null), 401),
        (json!({ "jwt": { "claims": with(claims(), "/exp", "1") } }), 401),
        (json!({ "jwt": { "claims": with(claims(), "/cognito:groups", "[readers]") } }), 403),
    ] {
        let answer = answered(&with(request(), authorizer, context.clone())).await;
        assert_eq!(answer["statusCode"], status, "{context}");
    }
}

#[tokio::test]
async fn a_view_of_another_media_type_is_406_for_clients_that_accept_another() {
    let answer = answered(&with(request(), "/headers/accept", "application/json")).await;
    assert_eq!(answer["statusCode"], 406);
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let message = "Responses are only available as text/csv; charset=utf-8.";
    assert_eq!(body["error"]["message"], message);
    assert_eq!(answer["headers"]["content-type"], "application/json");
    let description = crate::describe::endpoint::<GetStock>();
    assert_eq!(description["outputType"], "text/csv; charset=utf-8");
}

#[tokio::test]
async fn a_query_parameter_of_an_endpoint_without_a_query_is_400_with_its_name() {
    let answer = answered(&with(request(), "/rawQueryString", "draft=1&draft=2&x")).await;
    assert_eq!(answer["statusCode"], 400);
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let expected = json!([
        { "field": "query.draft", "message": "is not a known parameter" },
        { "field": "query.x", "message": "is not a known parameter" },
    ]);
    assert_eq!(body["error"]["details"], expected);
}

#[tokio::test]
async fn an_event_of_another_kind_fails_the_invocation_and_is_named() {
    for event in [json!({ "Records": [{ "eventSource": "aws:s3" }] }), json!({}), json!(7)] {
        let handled = handled(&event).await;
        let Err(error) = handled.answer else { panic!("{event} is answered") };
        assert!(error.contains("accepts requests of HTTP APIs"), "{error}");
        assert!(handled.deferred.is_none(), "no request was made");
    }
}

#[tokio::test]
async fn an_event_of_a_function_url_is_routed_by_its_path() {
    let recorder = Arc::new(Recorder::default());
    let id = super::store_note(&recorder);
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": format!("/notes/%30{}", &id[1..]),
        "rawQueryString": "", "headers": {},
        "requestContext": {
            "stage": "$default", "domainName": "id.lambda-url.eu-central-1.on.aws",
            "http": { "method": "GET", "sourceIp": "192.0.2.1" },
        },
    });
    assert_eq!(ask(&get_note(&recorder), &event).await.status, 200);
}
