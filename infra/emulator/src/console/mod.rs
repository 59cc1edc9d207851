//! The console: the page at the root of the control address, and the JSON behind it.
//!
//! A person watches requests here, sends one again, and copies it as a command or a test. The page
//! is embedded ([`files`]). Its JSON is the same for programs: requests and their journeys
//! ([`requests`]), changes as server-sent events ([`events`]), sending again ([`again`]), the demo's
//! accounts ([`accounts`]), charts ([`charts`]), and the state of the platform ([`platform`]). All of
//! it is redacted.

mod accounts;
mod again;
mod charts;
pub(crate) mod client;
mod counts;
mod events;
mod files;
mod platform;
mod reading;
mod requests;
mod send;
#[cfg(test)]
mod tests;

use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};

pub(crate) use self::accounts::Accounts;
pub(crate) use self::counts::LatestCounts;
pub(crate) use self::files::page;
use crate::control::Control;

/// The addresses of the console, but for the page at the root.
pub(crate) fn routes() -> Router<Control> {
    let resend = post(again::resend).layer(DefaultBodyLimit::max(again::BODY_BYTES_MAX));
    let activity = Router::new()
        .route("/activity/requests", get(requests::list))
        .route("/activity/requests/{id}", get(requests::detail))
        .route("/activity/requests/{id}/journey", get(requests::journey))
        .route("/activity/requests/{id}/resend", resend)
        .route("/activity/requests/{id}/curl", get(again::curl))
        .route("/activity/requests/{id}/test", get(again::test))
        .route("/activity/invocations/{id}", get(requests::invocation))
        .route("/activity/invocations/{id}/journey", get(requests::journey))
        .route("/activity/messages/{id}", get(requests::message))
        .route("/activity/events", get(events::events))
        .route("/activity/accounts", get(requests::accounts))
        .route("/activity/charts", get(charts::charts))
        .merge(platform::routes())
        .layer(middleware::map_response(not_stored));
    activity.route("/console/{*file}", get(files::file))
}

/// Responses about the platform's state are not for caches.
async fn not_stored(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
