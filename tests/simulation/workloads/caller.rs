//! A client of the API who does not give up: it repeats requests that have no definite answer.

use serde_json::{Value, json};
use simulation::Millis;
use simulation::random::{Chance, Random};
use simulation::world::{ApiAnswer, ApiRequest, Client};

use crate::people::{PASSWORD, Person};

/// The most sign-ins for one request after a refused token.
const SIGN_INS: usize = 2;

/// How often an operation looks for a token of another one, and the time between.
const LOOKS: usize = 5;
const LOOK: Millis = Millis::seconds(1);
/// The share of looks after which it does not wait any more.
const IMPATIENT: Chance = Chance::percent(10);

/// Repeats a request until its answer is definite. `None` if it never is.
pub(super) async fn persist(client: &Client, request: &ApiRequest) -> Option<ApiAnswer> {
    client.send_until_answered(request).await
}

/// A member of an answer's `data`, as a text.
pub(super) fn data(answer: &ApiAnswer, name: &str) -> Option<String> {
    answer.json()["data"][name].as_str().map(str::to_owned)
}

/// A client who signs in when needed: all operations of a person use the token of the last sign-in.
pub(super) struct Caller<'a> {
    client: &'a Client,
    email: String,
    password: String,
}

impl<'a> Caller<'a> {
    /// One of the first people.
    pub(super) fn of(client: &'a Client, person: Person) -> Self {
        Self::new(client, person.email(), PASSWORD.to_owned())
    }

    pub(super) fn new(client: &'a Client, email: String, password: String) -> Self {
        Self { client, email, password }
    }

    /// The token of the person's last sign-in, or of a new one. `None` if the store does not accept it.
    ///
    /// Most operations wait some seconds for the first sign-in of another one of the person.
    pub(super) async fn token(&self) -> Option<String> {
        let begun = format!("sign-in of {}", self.email);
        for _ in 0..LOOKS {
            if let Some(token) = self.client.recall(&self.email) {
                return Some(token);
            }
            let is_first = self.client.recall(&begun).is_none();
            if is_first || self.client.draw(|random| random.happens(IMPATIENT)) {
                break;
            }
            self.client.wait(LOOK).await;
        }
        self.client.remember(&begun, "");
        self.sign_in().await
    }

    /// Signs in. `None` if the store does not accept it.
    pub(super) async fn sign_in(&self) -> Option<String> {
        let credentials = json!({ "email": self.email, "password": self.password });
        let answer = persist(self.client, &ApiRequest::post("/sessions", &credentials)).await?;
        let token = data(&answer, "accessToken")?;
        self.client.remember(&self.email, &token);
        Some(token)
    }

    /// Sends a request with a token, until its answer is definite. Signs in again if the token is refused.
    pub(super) async fn send(&self, request: ApiRequest) -> Option<ApiAnswer> {
        let mut token = self.token().await?;
        for _ in 0..SIGN_INS {
            let answer = persist(self.client, &request.clone().bearer(&token)).await?;
            if answer.status != 401 {
                return Some(answer);
            }
            token = self.sign_in().await?;
        }
        let answer = persist(self.client, &request.bearer(&token)).await?;
        (answer.status != 401).then_some(answer)
    }

    /// Sends a request with an idempotency key that is its own in the run.
    pub(super) async fn create(&self, path: &str, body: &Value) -> Option<ApiAnswer> {
        let key = key_of(self.client, path);
        self.send(ApiRequest::post(path, body).header("idempotency-key", key)).await
    }
}

/// The idempotency key of an operation's request.
pub(super) fn key_of(client: &Client, path: &str) -> String {
    format!("{}-{}", path.trim_matches('/').replace('/', "-"), client.operation())
}
