//! Members, by the claims that the authorizer passes on.

use jiff::Timestamp;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::Failure;

const LEEWAY_S: i64 = 60;

/// A member of a library.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    pub sub: Uuid,
    pub library: String,
    pub email: String,
    roles: Vec<String>,
    exp: f64,
}

/// The member who sends a request: 401 without a valid token, and 403 without the role.
pub fn member(request: &Request) -> Result<Member, Failure> {
    let unauthorized = Failure::refused(401, "UNAUTHORIZED", "A valid access token is required.");
    let claims = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.authorizer.as_ref().map(|authorizer| &authorizer.fields)
        }
        _ => None,
    };
    let claims = claims.and_then(|claims| serde_json::to_value(claims).ok());
    let member = serde_json::from_value::<Member>(claims.unwrap_or(Value::Null));
    let Ok(member) = member else { return Err(unauthorized) };
    // API Gateway keeps the authorizer's result for five minutes.
    #[allow(clippy::cast_precision_loss, reason = "seconds since 1970")]
    if (Timestamp::now().as_second() - LEEWAY_S) as f64 >= member.exp {
        return Err(unauthorized);
    }
    if !member.roles.iter().any(|role| role == "MEMBER") {
        return Err(Failure::refused(403, "FORBIDDEN", "The caller is not allowed to do this."));
    }
    Ok(member)
}
