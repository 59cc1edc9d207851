//! User accounts, sessions and addresses.

use domain::people::{AddressDraft, AddressView, SessionView, UserId, UserView};
use serde::Serialize;
use serde_json::json;

use crate::call::Call;
use crate::sign_in::sign_in;
use crate::{ApiResponse, Client, Error};

/// A new user. The domain's own draft is not serialisable, because it never reveals its password.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewUser {
    /// The id, if the client chooses it.
    pub user_id: Option<UserId>,
    /// The e-mail address.
    pub email: String,
    /// The password: 12 to 128 characters.
    pub password: String,
    /// The display name.
    pub name: String,
}

impl Client {
    /// `POST /users`
    pub async fn post_user(
        &self,
        user: &NewUser,
        key: Option<&str>,
    ) -> Result<ApiResponse<UserView>, Error> {
        self.data(Call::post("/users").json(user).keyed(key).unsigned()).await
    }

    /// `GET /users/{userId}`
    pub async fn get_user(&self, user_id: UserId) -> Result<ApiResponse<UserView>, Error> {
        self.data(Call::get(format!("/users/{user_id}"))).await
    }

    /// `POST /sessions`. A client with [`Client::signing_in`] calls it when needed.
    pub async fn post_session(
        &self,
        email: &str,
        password: &str,
    ) -> Result<ApiResponse<SessionView>, Error> {
        self.data(sign_in(email, password)).await
    }

    /// `POST /verification-emails`
    pub async fn post_verification_email(&self, email: &str) -> Result<ApiResponse<()>, Error> {
        let asking = json!({ "email": email });
        self.nothing(Call::post("/verification-emails").json(&asking).unsigned()).await
    }

    /// `PUT /users/{userId}/verification`, with the password of the sign-up. A token is valid once:
    /// if the response to a successful attempt is lost, the retry fails.
    pub async fn put_verification(
        &self,
        user_id: UserId,
        token: &str,
        password: &str,
    ) -> Result<ApiResponse<()>, Error> {
        let path = format!("/users/{user_id}/verification");
        let proof = json!({ "token": token, "password": password });
        self.nothing(Call::put(path).json(&proof).unsigned()).await
    }

    /// `POST /password-resets`
    pub async fn post_password_reset(&self, email: &str) -> Result<ApiResponse<()>, Error> {
        let asking = json!({ "email": email });
        self.nothing(Call::post("/password-resets").json(&asking).unsigned()).await
    }

    /// `PUT /users/{userId}/password`, with the token of the e-mail, which is valid once. A client
    /// with [`Client::signing_in`] keeps using its old password.
    pub async fn put_password(
        &self,
        user_id: UserId,
        token: &str,
        password: &str,
    ) -> Result<ApiResponse<()>, Error> {
        let path = format!("/users/{user_id}/password");
        let change = json!({ "token": token, "password": password });
        self.nothing(Call::put(path).json(&change).unsigned()).await
    }

    /// `POST /addresses`
    pub async fn post_address(
        &self,
        address: &AddressDraft,
        key: Option<&str>,
    ) -> Result<ApiResponse<AddressView>, Error> {
        self.data(Call::post("/addresses").json(address).keyed(key)).await
    }
}
