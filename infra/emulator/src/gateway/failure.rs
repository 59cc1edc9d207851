//! The gateway's own error responses, which differ by the kind of the API.

use http::StatusCode;
use sam_template::ApiKind;
use serde_json::{Value, json};

use super::answer::{Answer, json as respond, message};
use crate::activity::view::Stage;

/// The reason for an error response of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// No route matches.
    NoRoute,
    /// The path has another stage.
    NoStage,
    /// The request has no identity.
    Unauthorized,
    /// The authorizer or the signature does not allow the request.
    Forbidden,
    /// The authorizer failed.
    Authorizer,
    /// The function failed.
    Function,
    /// The function's response is invalid.
    Response,
    /// The function did not respond in time.
    TimedOut,
    /// The function is throttled, or the platform stops.
    Throttled,
    /// The body is too large.
    TooLarge,
}

impl Failure {
    /// The stage at which the gateway itself refuses a request or its response, and the reason.
    /// `None` if the invocation has the reason.
    pub(super) fn refusal(self) -> Option<(Stage, &'static str)> {
        match self {
            Self::NoRoute => Some((Stage::Routing, "No route fits the method and the path.")),
            Self::NoStage => Some((Stage::Routing, "The path begins with another stage.")),
            Self::Throttled => {
                Some((Stage::Routing, "The function is throttled, or the platform stops."))
            }
            Self::Unauthorized => Some((Stage::Authentication, "The request has no identity.")),
            Self::Forbidden => {
                Some((Stage::Authentication, "The authorizer or the signature denies the request."))
            }
            Self::Authorizer => Some((Stage::Authentication, "The authorizer failed.")),
            Self::TooLarge => Some((Stage::Deserialization, "The body is too large.")),
            Self::Response => {
                let reason = "The function's response has an invalid form, or too many headers.";
                Some((Stage::Response, reason))
            }
            Self::Function | Self::TimedOut => None,
        }
    }

    /// The response to the client.
    pub(super) fn answer(self, kind: &ApiKind) -> Answer {
        match kind {
            ApiKind::Rest { .. } => self.of_rest(),
            ApiKind::FunctionUrl { .. } => self.of_url(),
            _ => self.of_http(),
        }
    }

    fn of_http(self) -> Answer {
        let (status, text) = match self {
            Self::NoRoute | Self::NoStage => (StatusCode::NOT_FOUND, "Not Found"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::Authorizer | Self::Function | Self::Response => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Self::TimedOut | Self::Throttled => {
                (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        };
        message(status, text)
    }

    fn of_rest(self) -> Answer {
        let (status, text) = match self {
            Self::NoRoute => (StatusCode::FORBIDDEN, "Missing Authentication Token"),
            Self::NoStage => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::Forbidden => {
                let text = "User is not authorized to access this resource";
                return respond(StatusCode::FORBIDDEN, &json!({ "Message": text }));
            }
            Self::Authorizer => {
                let body = json!({ "message": Value::Null });
                return respond(StatusCode::INTERNAL_SERVER_ERROR, &body);
            }
            Self::Function | Self::Response => (StatusCode::BAD_GATEWAY, "Internal server error"),
            Self::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out"),
            Self::Throttled => (StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long"),
        };
        message(status, text)
    }

    fn of_url(self) -> Answer {
        let forbidden = || respond(StatusCode::FORBIDDEN, &json!({ "Message": "Forbidden" }));
        let (status, text) = match self {
            Self::Unauthorized | Self::Forbidden => return forbidden(),
            Self::Throttled => (StatusCode::TOO_MANY_REQUESTS, "Rate Exceeded."),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::NoRoute | Self::NoStage => (StatusCode::NOT_FOUND, "Not Found"),
            Self::Authorizer | Self::Function | Self::Response | Self::TimedOut => {
                (StatusCode::BAD_GATEWAY, "Internal Server Error")
            }
        };
        message(status, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_function_is_500_502_or_502_by_the_kind_of_api() {
        let rest = ApiKind::Rest { binary_media_types: Vec::new() };
        let url = ApiKind::FunctionUrl { signed: false };
        for (kind, function, no_route, timed_out) in
            [(ApiKind::Http, 500, 404, 503), (rest, 502, 403, 504), (url, 502, 404, 502)]
        {
            assert_eq!(Failure::Function.answer(&kind).status(), function, "{kind:?}");
            assert_eq!(Failure::Response.answer(&kind).status(), function, "{kind:?}");
            assert_eq!(Failure::NoRoute.answer(&kind).status(), no_route, "{kind:?}");
            assert_eq!(Failure::TimedOut.answer(&kind).status(), timed_out, "{kind:?}");
        }
    }
}
