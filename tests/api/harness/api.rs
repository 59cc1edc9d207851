//! The store's API, and its callers.

use std::collections::BTreeMap;
use std::ops::Deref;

use domain::orders::OrderDraft;
use serde_json::json;
use testkit::Call;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::InProcess;
use super::checks::assert_is_the_apis;

/// The password of all users in the demo and in these tests.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// The store's API: the test kit's, with the typed client and the demo's users.
#[derive(Clone)]
pub(crate) struct Api {
    api: testkit::Api<InProcess>,
    store: client::Client,
}

impl Deref for Api {
    type Target = testkit::Api<InProcess>;

    fn deref(&self) -> &Self::Target {
        &self.api
    }
}

impl Api {
    pub(super) fn of(api: testkit::Api<InProcess>) -> Self {
        // A test must see every failure, and retries explicitly.
        let settings = client::Settings { attempts_max: 1, ..client::Settings::default() };
        let store = client::Client::new(api.url(), settings).expect("the system has trusted roots");
        Self { api, store: store.watched_by(assert_is_the_apis) }
    }

    /// The same API, called from another address of this machine: `127.0.0.2`. The typed client
    /// keeps its own.
    pub(crate) fn with_source(&self, source: &str) -> Self {
        Self { api: self.api.with_source(source), store: self.store.clone() }
    }

    /// The typed client, without a token: for the calls that programs make. A test uses
    /// [`testkit::Api::call`] for calls that no program should make, and to check bytes and headers.
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

    /// A call that places an order.
    pub(crate) fn order(&self, token: &str, key: &str, order: &OrderDraft) -> Call {
        self.post("/orders", &json!(order)).token(token).key(key)
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
        let key = self.running().map(|inside| inside.public_key().to_string());
        let whose = (key.unwrap_or_else(|| self.url().to_owned()), email.to_owned());
        if let Some(token) = sessions.get(&whose) {
            return token.clone();
        }
        let session = self.store.post_session(email, PASSWORD).await.expect("a session");
        let token = session.data.access_token;
        sessions.insert(whose, token.clone());
        token
    }
}
