//! API Gateway: an HTTP API with Lambda authorizers.
//!
//! The emulator follows the same rules. Both find routes by [`sam_template::routes`]; for the other
//! rules, their tests have the same cases.

mod answer;
mod authorizer;
mod event;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sam_template::routes::{Match, Routes};
use sam_template::{Api, ApiKind, AuthorizerFormat};
use tokio::time::timeout;

use self::answer::{Failure, from_function};
use self::authorizer::Authorizer;
use self::event::{Exchange, decoded, path_of};
use super::ids;
use super::lambda::{InvokeError, Lambda};
use super::request::{ApiAnswer, ApiRequest};
use super::state::{World, lock};
use super::trace::{Cause, Happened};
use crate::random::Seeded;

/// The time limit for a function's answer if the template sets none.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);
/// The maximum bytes of a body.
const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// The maximum bytes of the request line and the headers.
const HEADER_BYTES_MAX: usize = 10_240;

/// An API.
pub(super) struct Gateway {
    world: Arc<World>,
    lambda: Arc<Lambda>,
    routes: Routes,
    authorizers: BTreeMap<String, Authorizer>,
    random: Mutex<Seeded>,
}

impl Gateway {
    /// # Errors
    /// If the API has something that is not simulated.
    pub(super) fn new(api: &Api, world: &Arc<World>, lambda: &Arc<Lambda>) -> Result<Self, String> {
        let id = &api.logical_id;
        if api.kind != ApiKind::Http {
            return Err(format!("{id}: only HTTP APIs are simulated"));
        }
        if !api.jwt_authorizers.is_empty() {
            return Err(format!("{id}: JWT authorizers are not simulated"));
        }
        if api.authorizers.values().any(|it| it.format != AuthorizerFormat::Simple) {
            return Err(format!("{id}: only authorizers with simple responses are simulated"));
        }
        let authorizers = api.authorizers.iter();
        let authorizers =
            authorizers.map(|(name, settings)| (name.clone(), Authorizer::new(settings)));
        Ok(Self {
            world: Arc::clone(world),
            lambda: Arc::clone(lambda),
            routes: Routes::new(&api.routes),
            authorizers: authorizers.collect(),
            random: Mutex::new(world.streams.of("gateway")),
        })
    }

    /// Answers a request that has reached the API.
    pub(super) async fn handle(
        &self,
        request: &ApiRequest,
        request_id: &str,
        source_ip: &str,
        operation: usize,
    ) -> ApiAnswer {
        let integrated = self.integrate(request, request_id, source_ip).await;
        let by_function = integrated.is_ok();
        let mut answer = integrated.unwrap_or_else(Failure::answer);
        request_id.clone_into(&mut answer.request_id);
        answer.headers.push(("apigw-requestid".to_owned(), request_id.to_owned()));
        self.world.record(Happened::Answered {
            request: request_id.to_owned(),
            operation,
            status: answer.status,
            headers: answer.headers.clone(),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
            by_function,
        });
        answer
    }

    async fn integrate(
        &self,
        request: &ApiRequest,
        request_id: &str,
        source_ip: &str,
    ) -> Result<ApiAnswer, Failure> {
        let headers = request.headers.iter().map(|(name, value)| name.len() + value.len() + 4);
        let line = request.method.len() + request.path.len() + " HTTP/1.1\r\n ".len();
        if line + headers.sum::<usize>() > HEADER_BYTES_MAX {
            return Err(Failure::HeadersTooLarge);
        }
        let found = self.routes.find(&request.method, path_of(&request.path));
        let Match { route, parameters } = found.ok_or(Failure::NoRoute)?;
        let parameters = decoded(parameters);
        let received = self.world.now();
        let trace = ids::trace_root(received, &mut *lock(&self.random));
        let (parameters, trace) = (&parameters, trace.as_str());
        let exchange =
            Exchange { request, route, parameters, request_id, trace, source_ip, received };
        self.world.record(Happened::Routed {
            request: request_id.to_owned(),
            route: exchange.route_key(),
            function: route.function.clone(),
        });
        let authorizer = route.authorizer.as_ref().and_then(|name| self.authorizers.get(name));
        let context = match authorizer {
            Some(authorizer) => {
                Some(authorizer.authorize(&self.world, &self.lambda, &exchange).await?)
            }
            None => None,
        };
        if request.body.len() > BODY_BYTES_MAX {
            return Err(Failure::TooLarge);
        }
        let event = exchange.function_event(context.as_ref());
        let cause = Cause::Request(request_id.to_owned());
        let invoked = self.lambda.invoke(&route.function, &event, cause);
        match timeout(route.timeout.unwrap_or(INTEGRATION_LIMIT), invoked).await {
            Ok(Ok(payload)) => from_function(payload, &request.method).ok_or(Failure::Function),
            Ok(Err(InvokeError::TooLarge)) => Err(Failure::TooLarge),
            Ok(Err(InvokeError::Throttled)) => Err(Failure::Throttled),
            Ok(Err(InvokeError::Failed(_))) => Err(Failure::Function),
            Err(_) => Err(Failure::TimedOut),
        }
    }
}
