//! The third-party services of the store, as upstreams of the simulation. They answer as documented;
//! the world draws whether they fail.

mod alerts;
mod objects;
mod partner;

use http::{Response, StatusCode};
use serde_json::Value;

pub use self::alerts::{Alerts, alert_credentials};
pub use self::objects::Objects;
pub use self::partner::{Partner, partner_credentials};

/// An answer in JSON.
fn json(status: StatusCode, body: &Value) -> Response<Vec<u8>> {
    let mut response = Response::new(body.to_string().into_bytes());
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
