//! The APIs: their routes, authorizers, CORS and throttle.

use std::collections::BTreeMap;
use std::time::Duration;

/// An API of functions: `AWS::Serverless::HttpApi`, `AWS::Serverless::Api`, an implicit one, or a
/// function URL.
#[derive(Debug, Clone, PartialEq)]
pub struct Api {
    /// Its logical id. A function URL's is its function's with `Url` appended, as in SAM.
    pub logical_id: String,
    /// Its kind.
    pub kind: ApiKind,
    /// Its stage. Paths of clients begin with it, unless it is [`DEFAULT_STAGE`].
    pub stage: String,
    /// The routes of all functions.
    pub routes: Vec<Route>,
    /// The Lambda authorizers, by name.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// The JWT authorizers, by name.
    pub jwt_authorizers: BTreeMap<String, JwtAuthorizer>,
    /// The CORS configuration, if any.
    pub cors: Option<Cors>,
    /// The stage's throttle, if set.
    pub throttle: Option<Throttle>,
}

/// The stage that does not appear in paths.
pub const DEFAULT_STAGE: &str = "$default";

/// The path of a route for all requests that no other route matches.
pub const DEFAULT_ROUTE: &str = "$default";

/// The kind of an API, which decides the format of events and responses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiKind {
    /// An HTTP API: payload format 2.0.
    Http,
    /// A REST API with proxy integrations.
    Rest {
        /// The media types that are passed in base64: `image/png`, or `*/*` for all.
        binary_media_types: Vec<String>,
    },
    /// A function URL: payload format 2.0 with one route.
    FunctionUrl {
        /// Whether requests have to be signed (`AuthType: AWS_IAM`).
        signed: bool,
    },
}

/// One route of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method in capitals, or `ANY`.
    pub method: String,
    /// The path with its parameters, `/users/{userId}` or `/files/{path+}`, or [`DEFAULT_ROUTE`].
    pub path: String,
    /// The logical id of the function it invokes.
    pub function: String,
    /// The name of the route's authorizer.
    pub authorizer: Option<String>,
    /// The time limit for the function's response, if it is not that of the kind of API.
    pub timeout: Option<Duration>,
}

/// A Lambda authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// The logical id of its function.
    pub function: String,
    /// The format of its event and response.
    pub format: AuthorizerFormat,
    /// The headers that identify the caller. A request without one of them is a 401, without an
    /// invocation.
    pub identity_headers: Vec<String>,
    /// The query parameters that identify the caller, too. A request without one of them is a 401,
    /// without an invocation.
    pub identity_query_strings: Vec<String>,
    /// The caching time of a result for the same identity; zero disables the cache.
    pub cache_ttl: Duration,
}

/// A JWT authorizer of an HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtAuthorizer {
    /// The value of the claim `iss`.
    pub issuer: String,
    /// The accepted values of the claim `aud`, or of `client_id` without one.
    pub audience: Vec<String>,
    /// The header with the token.
    pub identity_header: String,
}

/// The format of an authorizer's event and response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthorizerFormat {
    /// Payload format 2.0 with simple responses, of an HTTP API.
    Simple,
    /// The token of one header, and a policy as response, of a REST API.
    Token,
    /// The whole request without its body, and a policy as response, of a REST API.
    Request,
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
    /// The name of the authorizer of a REST API's preflight requests.
    pub preflight_authorizer: Option<String>,
}

/// A token bucket: the burst size and the rate per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttle {
    /// The bucket's size in requests.
    pub burst: u32,
    /// Its refill in requests a second.
    pub rate_per_s: f64,
}
