//! API Gateway and function URLs in front of the functions.
//!
//! One port serves all APIs of a template. The only API, or the only one that is no function URL, is
//! at the root. Each API is also below `/_apis/` and its logical id. A named stage is the next part of
//! the path, as on AWS.
//!
//! A request passes the size limits, the stage's throttle, CORS, routing ([`sam_template::routes`]) and the
//! authorizer ([`authorizer`]). Then the function is invoked. Its event and response have the format
//! of the API's kind: payload format 2.0 ([`event`], [`answer`]), or that of a REST API's proxy
//! integration ([`rest_event`], [`rest_answer`]).
//!
//! Where AWS differs from its documentation, this follows AWS. An integration that exceeds 30
//! seconds and a throttled function both return 503 `Service Unavailable` from an HTTP API.

mod answer;
mod api;
mod authorizer;
mod cors;
mod event;
mod failure;
mod jwt;
mod policy;
mod rest_answer;
mod rest_event;
mod throttle;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sam_template::{Api, DEFAULT_STAGE, STACK_NAME, Template};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use self::answer::Answer;
use self::api::ServedApi;
pub use self::authorizer::{AuthorizerReport, CachedDecision, DecisionKind};
use crate::accept::accepted;
use crate::activity::view::Stage;
use crate::activity::{Activity, Begun};
use crate::control::Telemetry;
use crate::functions::Functions;

/// The first part of the path of an API that is not at the root.
const PREFIX: &str = "/_apis/";
/// The time limit for a client to send its headers.
const CLIENT_LIMIT: Duration = Duration::from_secs(30);

/// The gateway. Clones are handles to the same gateway.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

struct Shared {
    apis: Vec<ServedApi>,
    /// The index of the API at the root.
    root: Option<usize>,
    activity: Activity,
}

impl Gateway {
    /// A gateway for this API, which is at the root.
    pub fn new(api: &Api, functions: Functions, telemetry: &Arc<Telemetry>) -> Self {
        let activity = functions.activity().clone();
        let api = ServedApi::new(api, STACK_NAME.to_owned(), functions, telemetry);
        Self { shared: Arc::new(Shared { apis: vec![api], root: Some(0), activity }) }
    }

    /// A gateway for all APIs of a template.
    pub fn of(template: &Template, functions: &Functions, telemetry: &Arc<Telemetry>) -> Self {
        let served = |api: &Api| {
            ServedApi::new(api, template.api_id(&api.logical_id), functions.clone(), telemetry)
        };
        let apis: Vec<ServedApi> = template.apis.iter().map(served).collect();
        let root = template.root_api().map(|api| api.logical_id.as_str());
        let root = apis.iter().position(|api| Some(api.logical_id()) == root);
        let activity = functions.activity().clone();
        Self { shared: Arc::new(Shared { apis, root, activity }) }
    }

    /// The state of the authorizers' caches.
    pub fn authorizers(&self) -> Vec<AuthorizerReport> {
        self.shared.apis.iter().flat_map(ServedApi::caches).collect()
    }

    /// Serves clients until the task is aborted.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            let (stream, client) = accepted(|| listener.accept()).await;
            tokio::spawn(Arc::clone(&self.shared).serve_client(stream, client));
        }
    }
}

/// The address of each API of a template, by logical id, on a gateway at this address. The one at the
/// root is first.
pub fn addresses(template: &Template, gateway: &str) -> Vec<(String, String)> {
    let root = template.root_api().map(|api| api.logical_id.as_str());
    let address = |api: &Api| {
        let id = api.logical_id.as_str();
        let prefix = if root == Some(id) { String::new() } else { format!("{PREFIX}{id}") };
        let stage = Some(&api.stage).filter(|stage| *stage != DEFAULT_STAGE);
        let stage = stage.map(|stage| format!("/{stage}")).unwrap_or_default();
        (id.to_owned(), format!("{gateway}{prefix}{stage}"))
    };
    let mut all: Vec<_> = template.apis.iter().map(address).collect();
    all.sort_by_key(|(id, _)| root != Some(id.as_str()));
    all
}

impl Shared {
    async fn serve_client(self: Arc<Self>, stream: TcpStream, client: SocketAddr) {
        // Ignore the error: without this option, responses are only slower.
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| {
            let shared = Arc::clone(&self);
            async move { Ok::<_, Infallible>(shared.handle(request, client).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(CLIENT_LIMIT)
            .serve_connection(TokioIo::new(stream), service);
        // Ignore errors of the connection: they concern only its client.
        let _ = connection.await;
    }

    async fn handle(&self, mut request: Request<Incoming>, client: SocketAddr) -> Answer {
        let Some((api, uri)) = self.choose(request.uri()) else {
            let ids = self.apis.iter().map(|api| format!("{PREFIX}{}", api.logical_id()));
            let known = ids.collect::<Vec<_>>().join(", ");
            let reason = format!("no API is here; the template's APIs: [{known}]");
            let answer = answer::message(StatusCode::NOT_FOUND, &reason);
            self.record_lost(&request, &reason, &answer);
            return answer;
        };
        let target = target(request.uri()).to_owned();
        if let Some(uri) = uri {
            *request.uri_mut() = uri;
        }
        api.handle(request, client.ip(), &target).await
    }

    /// Records a request that reaches no API.
    fn record_lost(&self, request: &Request<Incoming>, reason: &str, answer: &Answer) {
        let id = Uuid::new_v4().to_string();
        self.activity.request_begins(&Begun {
            id: &id,
            api: "",
            method: request.method().as_str(),
            target: target(request.uri()),
            headers: request.headers(),
        });
        self.activity.request_refused(&id, Stage::Routing, reason);
        let (status, body) = (answer.status().as_u16(), answer::body_of(answer));
        self.activity.request_answered(&id, status, answer.headers(), &body, false);
    }

    /// The API of a request, and the request's target without the prefix, if it has one.
    fn choose(&self, uri: &Uri) -> Option<(&ServedApi, Option<Uri>)> {
        let target = target(uri);
        if let Some(rest) = target.strip_prefix(PREFIX) {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (id, target) = rest.split_at(end);
            if let Some(api) = self.apis.iter().find(|api| api.logical_id() == id) {
                let slash = if target.starts_with('/') { "" } else { "/" };
                return Some((api, format!("{slash}{target}").parse().ok()));
            }
        }
        self.root.map(|root| (&self.apis[root], None))
    }
}

/// The path with its query.
fn target(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |target| target.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_api_has_an_address_with_its_stage_and_only_one_is_at_the_root() {
        let function = "  Work:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: work}}
    Properties:
      Runtime: provided.al2023
      FunctionUrlConfig: {AuthType: NONE}
      Events: {A: {Type: Api, Properties: {Path: /, Method: get}}, EVENTS}
";
        let of = |events: &str| {
            let source = format!("Resources:\n{}", function.replace("EVENTS", events));
            let template = Template::parse(&source, &BTreeMap::new()).unwrap();
            addresses(&template, "http://h")
        };
        let address = |id: &str, url: &str| (id.to_owned(), url.to_owned());

        let rest = address("ServerlessRestApi", "http://h/Prod");
        assert_eq!(of(""), [rest, address("WorkUrl", "http://h/_apis/WorkUrl")]);
        let several = of("B: {Type: HttpApi}");
        let prefixed = address("ServerlessRestApi", "http://h/_apis/ServerlessRestApi/Prod");
        assert_eq!(several.len(), 3);
        assert!(several.contains(&prefixed), "{several:?}");
    }
}
