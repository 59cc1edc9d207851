//! The system itself: its health, keys and rules.

use domain::Rules;
use domain::rules::RulesDraft;
use serde::Deserialize;
use serde_json::Value;

use crate::call::Call;
use crate::{Answer, Client, Error};

/// Whether the system can do its work.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Health {
    /// `OK`, or `UNAVAILABLE`.
    pub status: String,
}

impl Client {
    /// `GET /healthcheck`
    pub async fn get_health(&self) -> Result<Answer<Health>, Error> {
        self.body(Call::get("/healthcheck").unsigned()).await
    }

    /// `GET /.well-known/jwks.json`: a JSON Web Key Set (RFC 7517).
    pub async fn get_jwks(&self) -> Result<Answer<Value>, Error> {
        self.body(Call::get("/.well-known/jwks.json").unsigned()).await
    }

    /// `GET /rules`
    pub async fn get_rules(&self) -> Result<Answer<Rules>, Error> {
        self.data(Call::get("/rules")).await
    }

    /// `PUT /rules`
    pub async fn put_rules(&self, rules: &RulesDraft) -> Result<Answer<Rules>, Error> {
        self.data(Call::put("/rules").json(rules)).await
    }
}
