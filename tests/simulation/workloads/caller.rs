//! A client of the API who does not give up: it repeats requests that have no definite answer.

use serde_json::{Value, json};
use simulation::world::{ApiAnswer, ApiRequest, Client};

use crate::people::{PASSWORD, Person};

/// The sign-ins for one request.
const SIGN_INS: usize = 3;

/// Repeats a request until its answer is definite. `None` if it never is.
pub(super) async fn persist(client: &Client, request: &ApiRequest) -> Option<ApiAnswer> {
    client.send_until_answered(request).await
}

/// A member of an answer's `data`, as a text.
pub(super) fn data(answer: &ApiAnswer, name: &str) -> Option<String> {
    answer.json()["data"][name].as_str().map(str::to_owned)
}

/// A client who signs in when needed.
pub(super) struct Caller<'a> {
    client: &'a Client,
    email: String,
    password: String,
    token: Option<String>,
}

impl<'a> Caller<'a> {
    /// One of the first people.
    pub(super) fn of(client: &'a Client, person: Person) -> Self {
        Self::new(client, person.email(), PASSWORD.to_owned())
    }

    pub(super) fn new(client: &'a Client, email: String, password: String) -> Self {
        Self { client, email, password, token: None }
    }

    /// Signs in. `None` if the store does not accept it.
    pub(super) async fn sign_in(&mut self) -> Option<String> {
        let credentials = json!({ "email": self.email, "password": self.password });
        let answer = persist(self.client, &ApiRequest::post("/sessions", &credentials)).await?;
        self.token = data(&answer, "accessToken");
        self.token.clone()
    }

    /// Sends a request with a token, until its answer is definite.
    pub(super) async fn send(&mut self, request: ApiRequest) -> Option<ApiAnswer> {
        for _ in 0..SIGN_INS {
            let token = match self.token.take() {
                Some(token) => token,
                None => self.sign_in().await?,
            };
            let answer = persist(self.client, &request.clone().bearer(&token)).await?;
            if answer.status != 401 {
                self.token = Some(token);
                return Some(answer);
            }
        }
        None
    }

    /// Sends a request with an idempotency key that is its own in the run.
    pub(super) async fn create(&mut self, path: &str, body: &Value) -> Option<ApiAnswer> {
        let key = key_of(self.client, path);
        self.send(ApiRequest::post(path, body).header("idempotency-key", key)).await
    }
}

/// The idempotency key of an operation's request.
pub(super) fn key_of(client: &Client, path: &str) -> String {
    format!("{}-{}", path.trim_matches('/').replace('/', "-"), client.operation())
}
