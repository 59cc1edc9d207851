//! An API, and its callers.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::orders::OrderDraft;
use http::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::call::{Client, client, client_at};
use super::checks::assert_is_the_apis;
use super::{Call, Control, InProcess, skip};

/// The password of all users in the demo and in these tests.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// An API. Each test has a separate client, whose connections end with the test.
#[derive(Clone)]
pub(crate) struct Api {
    url: String,
    client: Client,
    store: client::Client,
    inside: Option<Arc<InProcess>>,
}

impl Api {
    /// The API of a platform in this process.
    pub(super) fn of(inside: Arc<InProcess>) -> Self {
        Self::at(inside.platform().api_url(), Some(inside))
    }

    /// The API of a deployment.
    pub(super) fn deployed(url: String) -> Self {
        Self::at(url.trim_end_matches('/').to_owned(), None)
    }

    fn at(url: String, inside: Option<Arc<InProcess>>) -> Self {
        // A test must see every failure, and retries explicitly.
        let settings = client::Settings { attempts_max: 1, ..client::Settings::default() };
        let store = client::Client::new(&url, settings).expect("the system has trusted roots");
        let store = store.watched_by(assert_is_the_apis);
        Self { url, client: client(), store, inside }
    }

    /// The same API, called from another address of this machine: `127.0.0.2`.
    pub(crate) fn with_source(&self, source: &str) -> Self {
        let mut api = self.clone();
        api.client = client_at(source.parse().expect("an address"));
        api
    }

    /// The typed client, without a token: for the calls that programs make. A test uses
    /// [`Self::call`] for calls that no program should make, and to check bytes and headers.
    pub(crate) fn client(&self) -> &client::Client {
        &self.store
    }

    /// A user of the demo, such as `customer` or `merchant`, signed in.
    pub(crate) async fn person(&self, who: &str) -> client::Client {
        self.store.with_token(&self.token(who).await)
    }

    /// A new user with this role, signed in.
    pub(crate) fn someone(&self, inside: &InProcess, role: &str) -> client::Client {
        self.store.with_token(&inside.token(&Uuid::new_v4().to_string(), &[role]))
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Call {
        self.call(Method::POST, path).json(body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Call {
        self.call(Method::PUT, path).json(body)
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Call {
        self.call(Method::PATCH, path).json(body)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// A call that places an order.
    pub(crate) fn order(&self, token: &str, key: &str, order: &OrderDraft) -> Call {
        self.post("/orders", &json!(order)).token(token).key(key)
    }

    /// Calls the stores directly, without a function: `DynamoDB_20120810.Scan`.
    pub(crate) async fn ask_stores(&self, target: &str, input: &Value) -> Value {
        // The operator's key: no fault applies to its calls.
        const OPERATOR: &str = "AWS4-HMAC-SHA256 Credential=OPERATOR/20260101/eu-west-1/x/\
                                aws4_request, SignedHeaders=host, Signature=0";
        let endpoint = self.inside.as_ref().expect("a platform").platform().stores().endpoint();
        let call = Call::new(&self.client, Method::POST, &endpoint)
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", OPERATOR)
            .header("x-amz-date", "20260101T000000Z")
            .body(input.to_string());
        let answer = call.send().await;
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        answer.json()
    }

    /// Puts an item into a table directly: plain JSON, its key included.
    pub(crate) fn put_item(&self, table: &str, item: Value) {
        let item: serde_dynamo::Item = serde_dynamo::to_item(item).unwrap();
        let stores = self.inside().expect("a platform").platform().stores();
        let item = serde_json::to_value(item).unwrap();
        stores.put_item(table, &item).expect("the item is well-formed");
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(&self.client, method, &format!("{}{path}", self.url))
    }

    /// The platform behind the API. When a deployment is tested, reports that and returns `None`.
    pub(crate) fn inside(&self) -> Option<&InProcess> {
        if self.inside.is_none() {
            skip("the platform in its own process");
        }
        self.inside.as_deref()
    }

    /// The platform's control address. When a deployment is tested, reports that and returns
    /// `None`.
    pub(crate) fn control(&self) -> Option<Control> {
        let url = self.inside()?.platform().control_url();
        Some(Control::new(url, self.client.clone()))
    }

    /// The access token of a user of the demo, such as `customer` or `merchant`.
    pub(crate) async fn token(&self, who: &str) -> String {
        self.sign_in(&format!("{who}@example.com")).await
    }

    /// An access token by e-mail address. Tokens are kept, because sign-ins are limited.
    pub(crate) async fn sign_in(&self, email: &str) -> String {
        /// Access tokens by API and e-mail address. A platform is identified by its key, because
        /// another platform may have used its port before.
        static SESSIONS: Mutex<BTreeMap<(String, String), String>> =
            Mutex::const_new(BTreeMap::new());
        let mut sessions = SESSIONS.lock().await;
        let key = self.inside.as_ref().map(|inside| inside.public_key().to_string());
        let whose = (key.unwrap_or_else(|| self.url.clone()), email.to_owned());
        if let Some(token) = sessions.get(&whose) {
            return token.clone();
        }
        let session = self.store.post_session(email, PASSWORD).await.expect("a session");
        let token = session.data.access_token;
        sessions.insert(whose, token.clone());
        token
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        if let Some(inside) = &self.inside {
            inside.note_used_rights();
        }
    }
}
