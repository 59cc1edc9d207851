//! The system's health, keys and rules.

use domain::BusinessRules;
use domain::rules::RulesDraft;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::call::Call;
use crate::{ApiResponse, Client, Error};

/// The health of the system.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Health {
    /// `OK`, or `UNAVAILABLE`.
    pub status: String,
    /// The dependencies whose probe failed: `table`, `queue` or `secret`.
    #[serde(default)]
    pub unavailable: Vec<String>,
}

impl Client {
    /// `GET /healthcheck`, with status 503 if a probe failed.
    pub async fn get_health(&self) -> Result<ApiResponse<Health>, Error> {
        let call = Call::get("/healthcheck").also_answered(StatusCode::SERVICE_UNAVAILABLE);
        self.body(call.unsigned()).await
    }

    /// `GET /.well-known/jwks.json`: a JSON Web Key Set (RFC 7517).
    pub async fn get_jwks(&self) -> Result<ApiResponse<Value>, Error> {
        self.body(Call::get("/.well-known/jwks.json").unsigned()).await
    }

    /// `GET /rules`
    pub async fn get_rules(&self) -> Result<ApiResponse<BusinessRules>, Error> {
        self.data(Call::get("/rules")).await
    }

    /// `PUT /rules`, only if the rules still have the given version. If the response to a successful
    /// attempt is lost, the retry returns 412.
    pub async fn put_rules(
        &self,
        rules: &RulesDraft,
        if_match: Option<&str>,
    ) -> Result<ApiResponse<BusinessRules>, Error> {
        self.data(Call::put("/rules").json(rules).if_match(if_match)).await
    }
}
