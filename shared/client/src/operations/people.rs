//! Accounts, sessions and addresses.

use std::fmt;

use domain::people::{AddressDraft, AddressView, UserId, UserView};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::Call;
use crate::exchange::sign_in;
use crate::{Answer, Client, Error};

/// Somebody who signs up. The domain's own draft has a password that cannot be shown again, not
/// even to be sent.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewUser {
    /// The id, if the client chooses it.
    pub user_id: Option<UserId>,
    /// Their address.
    pub email: String,
    /// The password they choose: 12 to 128 characters.
    pub password: String,
    /// How they want to be called.
    pub name: String,
}

/// A session.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The token.
    pub access_token: String,
    /// In seconds.
    pub expires_in: u32,
}

impl fmt::Debug for Session {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

impl Client {
    /// `POST /users`
    pub async fn post_user(
        &self,
        user: &NewUser,
        key: Option<&str>,
    ) -> Result<Answer<UserView>, Error> {
        self.data(Call::post("/users").json(user).keyed(key).unsigned()).await
    }

    /// `GET /users/{userId}`
    pub async fn get_user(&self, user_id: UserId) -> Result<Answer<UserView>, Error> {
        self.data(Call::get(format!("/users/{user_id}"))).await
    }

    /// `POST /sessions`. A client that is [`Client::signing_in`] does this by itself.
    pub async fn post_session(
        &self,
        email: &str,
        password: &str,
    ) -> Result<Answer<Session>, Error> {
        self.data(sign_in(email, password)).await
    }

    /// `POST /verification-emails`
    pub async fn post_verification_email(&self, email: &str) -> Result<Answer<()>, Error> {
        let asking = json!({ "email": email });
        self.nothing(Call::post("/verification-emails").json(&asking).unsigned()).await
    }

    /// `PUT /users/{userId}/verification`, with the password that was chosen at the sign-up. A proof
    /// is good once: one that was taken while its answer was lost is spent when it is tried again.
    pub async fn put_verification(
        &self,
        user_id: UserId,
        token: &str,
        password: &str,
    ) -> Result<Answer<()>, Error> {
        let path = format!("/users/{user_id}/verification");
        let proof = json!({ "token": token, "password": password });
        self.nothing(Call::put(path).json(&proof).unsigned()).await
    }

    /// `POST /password-resets`
    pub async fn post_password_reset(&self, email: &str) -> Result<Answer<()>, Error> {
        let asking = json!({ "email": email });
        self.nothing(Call::post("/password-resets").json(&asking).unsigned()).await
    }

    /// `PUT /users/{userId}/password`, by the token of the mail. It is good once, as a proof is. A
    /// client that signs in by itself does so with the password it was made with.
    pub async fn put_password(
        &self,
        user_id: UserId,
        token: &str,
        password: &str,
    ) -> Result<Answer<()>, Error> {
        let path = format!("/users/{user_id}/password");
        let change = json!({ "token": token, "password": password });
        self.nothing(Call::put(path).json(&change).unsigned()).await
    }

    /// `POST /addresses`
    pub async fn post_address(
        &self,
        address: &AddressDraft,
        key: Option<&str>,
    ) -> Result<Answer<AddressView>, Error> {
        self.data(Call::post("/addresses").json(address).keyed(key)).await
    }
}
