//! Callbacks with object ids, and the objects' online status.

use domain::callback::{CallbackDraft, ObjectId, ObjectView};
use serde::Deserialize;

use crate::call::Call;
use crate::{ApiResponse, Client, Error};

/// The response to a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct TakenIn {
    /// The number of distinct objects that will be looked up.
    pub accepted: usize,
}

impl Client {
    /// `POST /callback`
    pub async fn post_callback(
        &self,
        callback: &CallbackDraft,
    ) -> Result<ApiResponse<TakenIn>, Error> {
        self.data(Call::post("/callback").json(callback).unsigned()).await
    }

    /// `GET /objects/{objectId}`
    pub async fn get_object(&self, object_id: ObjectId) -> Result<ApiResponse<ObjectView>, Error> {
        self.data(Call::get(format!("/objects/{object_id}")).unsigned()).await
    }
}
