//! The HTTP API: its routes, authorizers, CORS and throttle.

use std::collections::BTreeMap;
use std::time::Duration;

/// `AWS::Serverless::HttpApi` and the routes that functions declare on it.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpApi {
    /// Its logical id.
    pub logical_id: String,
    /// The routes of all functions.
    pub routes: Vec<Route>,
    /// The Lambda authorizers, by name.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// The CORS configuration, if any.
    pub cors: Option<Cors>,
    /// The stage's throttle, if set.
    pub throttle: Option<Throttle>,
}

/// One route of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method in capitals, or `ANY`.
    pub method: String,
    /// The path with its parameters, `/users/{userId}` or `/files/{path+}`.
    pub path: String,
    /// The logical id of the function it invokes.
    pub function: String,
    /// The name of the route's authorizer.
    pub authorizer: Option<String>,
}

/// A Lambda authorizer of payload format 2.0 with simple responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// The logical id of its function.
    pub function: String,
    /// The headers that identify the caller. A request without one of them is a 401, without an
    /// invocation.
    pub identity_headers: Vec<String>,
    /// The caching time of a result for the same identity; zero disables the cache.
    pub cache_ttl: Duration,
}

/// The CORS configuration for browsers of other origins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cors {
    /// Allowed origins, or `*`.
    pub allow_origins: Vec<String>,
    /// Allowed methods, or `*`.
    pub allow_methods: Vec<String>,
    /// Allowed request headers, or `*`.
    pub allow_headers: Vec<String>,
    /// Response headers that scripts may read.
    pub expose_headers: Vec<String>,
    /// The caching time of a preflight response.
    pub max_age: Option<Duration>,
    /// Whether credentials may be sent.
    pub allow_credentials: bool,
}

/// A token bucket: the burst size and the rate per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttle {
    /// The bucket's size in requests.
    pub burst: u32,
    /// Its refill in requests a second.
    pub rate_per_s: f64,
}
