//! Callbacks with object ids, and the objects' online status.

use domain::callback::{CallbackDraft, CallbackView, ObjectId, ObjectView};

use crate::call::Call;
use crate::{ApiResponse, Client, Error};

impl Client {
    /// `POST /callback`
    pub async fn post_callback(
        &self,
        callback: &CallbackDraft,
    ) -> Result<ApiResponse<CallbackView>, Error> {
        self.data(Call::post("/callback").json(callback).unsigned()).await
    }

    /// `GET /objects/{objectId}`
    pub async fn get_object(&self, object_id: ObjectId) -> Result<ApiResponse<ObjectView>, Error> {
        self.data(Call::get(format!("/objects/{object_id}")).unsigned()).await
    }
}
