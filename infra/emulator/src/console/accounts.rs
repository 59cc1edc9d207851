//! The accounts of an application: requests of the console are sent with the token of one.
//!
//! The platform signs in, and keeps the token until shortly before its end. The page never gets it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::send::{CLIENT, send};
use crate::account::{Account, SignIn};
use crate::activity::redaction::Redaction;
use crate::clock::Clock;
use crate::control::ControlError;

/// The header with the name of an account. It does not reach the API.
pub(crate) const CONSOLE_ACCOUNT: HeaderName = HeaderName::from_static("x-console-account");

/// A token is renewed this long before its end, or in the last tenth of a short life.
const MARGIN_S: u32 = 30;

/// The time limit for a sign-in: somewhat longer than the gateway's.
const SIGN_IN_LIMIT: Duration = Duration::from_secs(35);

/// The maximum bytes of a response to a sign-in.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The accounts of a platform, with their tokens.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    all: Vec<Kept>,
    api_url: String,
    clock: Clock,
    redaction: Arc<Redaction>,
}

struct Kept {
    account: Account,
    /// Locked during a sign-in, so that concurrent requests share one.
    token: Mutex<Option<Token>>,
}

struct Token {
    value: String,
    renewed_at: Timestamp,
}

impl fmt::Debug for Kept {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account.fmt(f)
    }
}

impl Accounts {
    /// The accounts of an application. The first one of a name counts. The redaction learns their
    /// passwords and tokens.
    pub(crate) fn new(
        accounts: Vec<Account>,
        api_url: String,
        clock: &Clock,
        redaction: &Arc<Redaction>,
    ) -> Self {
        let mut all: Vec<Kept> = Vec::with_capacity(accounts.len());
        for account in accounts {
            match &account.sign_in {
                SignIn::Token(token) => redaction.learn(token),
                SignIn::Request { body, .. } => redaction.learn_members(body),
            }
            if all.iter().all(|known| known.account.name != account.name) {
                all.push(Kept { account, token: Mutex::new(None) });
            }
        }
        Self { all, api_url, clock: clock.clone(), redaction: Arc::clone(redaction) }
    }

    /// The accounts as JSON, without the way in which they sign in.
    pub(crate) fn shown(&self) -> Vec<Value> {
        let accounts = self.all.iter().map(|kept| &kept.account);
        let shown = accounts.map(
            |account| json!({"name": account.name, "role": account.role, "note": account.note}),
        );
        shown.collect()
    }

    /// Replaces the header [`CONSOLE_ACCOUNT`] of a request by the account's token. Returns the
    /// account's name, if the request had the header.
    ///
    /// # Errors
    /// If there is no such account, or it cannot sign in.
    pub(crate) async fn apply(
        &self,
        headers: &mut HeaderMap,
    ) -> Result<Option<String>, ControlError> {
        let Some(name) = headers.remove(CONSOLE_ACCOUNT) else { return Ok(None) };
        let name = name.to_str().unwrap_or_default().to_owned();
        let token = self.authorization(&name).await?;
        headers.insert(AUTHORIZATION, token);
        Ok(Some(name))
    }

    /// The value of the header `authorization` for an account.
    ///
    /// # Errors
    /// If there is no such account, or it cannot sign in.
    pub(crate) async fn authorization(&self, name: &str) -> Result<HeaderValue, ControlError> {
        let kept = self.all.iter().find(|kept| kept.account.name == name).ok_or_else(|| {
            let reason = "there is no such account; GET /activity/accounts lists all";
            ControlError::new(StatusCode::NOT_FOUND, reason)
        })?;
        let token = self.token(kept).await.map_err(|reason| {
            let reason = format!("{name} cannot sign in: {reason}");
            ControlError::new(StatusCode::BAD_GATEWAY, reason)
        })?;
        let value = HeaderValue::from_str(&format!("Bearer {token}")).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        value.map_err(|_| {
            let reason = format!("the token of {name} is not a valid header");
            ControlError::new(StatusCode::BAD_GATEWAY, reason)
        })
    }

    /// The token of an account: a kept one, or a new one.
    async fn token(&self, kept: &Kept) -> Result<String, String> {
        let (method, path, body, pointer, valid_s) = match &kept.account.sign_in {
            SignIn::Token(token) => return Ok(token.clone()),
            SignIn::Request { method, path, body, token, valid_s } => {
                (method, path, body, token, *valid_s)
            }
        };
        let mut kept = kept.token.lock().await;
        let now = self.clock.now();
        if let Some(token) = kept.as_ref().filter(|token| now < token.renewed_at) {
            return Ok(token.value.clone());
        }
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(CONTENT_TYPE, "application/json")
            .header(CLIENT, "console")
            .body(Full::from(Bytes::from(body.to_string())))
            .map_err(|error| error.to_string())?;
        let exchange = async {
            let answer = send(&self.api_url, request).await?;
            let status = answer.status();
            if !status.is_success() {
                return Err(format!("{method} {path} returned {status}"));
            }
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok(body.map_err(|error| error.to_string())?.to_bytes())
        };
        let answer = timeout(SIGN_IN_LIMIT, exchange).await;
        let answer = answer.map_err(|_| format!("{method} {path} does not respond"))??;
        let answer: Value = serde_json::from_slice(&answer)
            .map_err(|_| format!("the response to {method} {path} is not JSON"))?;
        let token = answer
            .pointer(pointer)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("the response to {method} {path} has no token at {pointer}"))?;
        self.redaction.learn(token);
        let used_s = valid_s - MARGIN_S.min(valid_s / 10);
        let renewed_at = now + Duration::from_secs(used_s.into());
        *kept = Some(Token { value: token.to_owned(), renewed_at });
        Ok(token.to_owned())
    }

    /// Forgets the token of an account: the API refused it.
    pub(crate) async fn forget(&self, name: &str) {
        if let Some(kept) = self.all.iter().find(|kept| kept.account.name == name) {
            *kept.token.lock().await = None;
        }
    }
}
