//! Requests and responses, and the HTTP triggers that they come through.
//!
//! # Triggers
//!
//! An endpoint serves the same requests behind each of these, without a setting. The event decides
//! about the format of the response.
//!
//! | trigger | routes and paths | claims |
//! |---|---|---|
//! | HTTP API, payload format 2.0 or 1.0 | its route key, or the path for `$default` and greedy routes | Lambda authorizer, JWT authorizer, IAM |
//! | REST API | its resource, or the path for greedy ones | Lambda authorizer, Cognito authorizer, IAM |
//! | function URL | the path | IAM |
//! | Application Load Balancer | the path | none |
//! | WebSocket API, VPC Lattice, all other events | refused | |
//!
//! Any other event fails the invocation with an error that names its kind and these triggers. It is
//! not a 400, because a wrong trigger is no fault of a client. A request with invalid parts, such as
//! a body that is not base64, is a 400.
//!
//! A stage or a base path before the route changes nothing, and `Location` has it too. Only behind
//! `$default` with a base path it is not known: name the route in the API. Parameters of a path are
//! decoded once, whether or not the trigger decodes them.
//!
//! The source of a request behind a load balancer is the last address in `X-Forwarded-For`. So the
//! load balancer must append to that header, which is its default.
//!
//! # Ways in
//!
//! | wanted | answer |
//! |---|---|
//! | claims of API Gateway's own authorizers, and signatures of AWS | built: [`Identity::AUTHORIZER`](crate::Identity::AUTHORIZER) |
//! | API keys as bearer tokens | built: `auth::api_keys` of the crate `lambda-lifecycle-aws` |
//! | API keys in another header | possible: an own Lambda authorizer with that header as its identity source, which returns claims. Usage plans of a REST API need nothing from the function |
//! | sign-in at a load balancer | refused: its headers prove nothing unless each function verifies their signature. Let the endpoint verify the client's own token: [`Endpoint::verifier`](crate::Endpoint::verifier) |
//! | cookies | built: [`Cookies`](crate::input::Cookies) |
//! | cookies as credentials | refused: another site could make a browser act as the caller. A Lambda authorizer may read them where the API has a defence |
//! | HTML forms | built: [`Form`](crate::input::Form) |
//! | bodies as they are, for signatures of web hooks | built: [`RawBody`](crate::input::RawBody) |
//! | uploads | possible: reply with a presigned URL, to which the client sends the file |
//! | `multipart/form-data` | refused: an event holds 6 MB, and a file would pass through the function's memory twice. Use a presigned URL |
//! | bodies with a content coding | refused for JSON and forms (415), so that no small body becomes a large one; [`RawBody`](crate::input::RawBody) passes them on |
//! | responses of more than 6 MB | refused by Lambda, so the answer is 500, and the request has no effects. Use pages, or a presigned URL |
//! | parts of one's own | possible: implement [`Input`](crate::input::Input) with the public methods of [`Request`] |
//! | inputs with `#[serde(flatten)]`, `#[serde(tag)]` or `#[serde(untagged)]` | not supported: serde reads them without their types, so that numbers in a query are refused, and unknown fields are not |
//! | query parameters of an endpoint that reads none | refused: 400 with the name of each, as for unknown fields of a body |
//!
//! ```
//! use lifecycle::error::RequestError;
//! use lifecycle::http::Request;
//! use lifecycle::input::{Input, Schemas};
//! use lifecycle::{FieldErrors, Route};
//!
//! /// The languages that the client names, as they are. A missing header is an empty list.
//! struct Languages;
//!
//! impl Input for Languages {
//!     type Value = Vec<String>;
//!
//!     fn read(
//!         request: &Request,
//!         _: &Route,
//!         _: &mut FieldErrors,
//!     ) -> Result<Option<Vec<String>>, RequestError> {
//!         let lines = request.headers().get_all("accept-language").iter();
//!         let lines = lines.filter_map(|line| line.to_str().ok());
//!         let names = lines.flat_map(|line| line.split(','));
//!         Ok(Some(names.map(|name| name.trim().to_owned()).collect()))
//!     }
//!
//!     fn describe(_: &Route, _: &mut Schemas) {}
//! }
//! ```
//!
//! # Ways out
//!
//! | wanted | answer |
//! |---|---|
//! | several headers of one name, cookies | built: [`header`](crate::reply::WithStatus::header), once for each. A load balancer's target group needs multi-value headers for more than one cookie |
//! | another media type, such as CSV | built: [`View::MEDIA_TYPE`](crate::reply::View::MEDIA_TYPE). `Accept` is negotiated by it, and a 406 names it |
//! | binary data | built: [`View::body`](crate::reply::View::body) returns bytes. A REST API must list the media type in `BinaryMediaTypes` |
//! | bodies without `data` | built: [`Bare`](crate::reply::Bare) |
//! | responses over 6 MB | possible: reply with a presigned URL |
//! | streamed responses | refused: the status, the entity tag and the stored response of an idempotency key need the whole body |

mod answer;
mod event;
mod format_2;
mod header_name;
mod media_type;
mod request;
mod request_id;
mod response;
mod shaped;

pub(crate) use self::answer::Answer;
pub(crate) use self::event::{EventError, Trigger};
pub(crate) use self::header_name::title_case;
pub use self::request::Request;
pub(crate) use self::request::bearer;
pub(crate) use self::request_id::{REQUEST_ID, request_id_of};
pub(crate) use self::response::Response;
pub(crate) use self::shaped::{PROBLEM, own_body};
