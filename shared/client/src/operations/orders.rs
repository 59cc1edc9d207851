//! Orders: create, read and cancel.

use domain::orders::{OrderDraft, OrderId, OrderSummaryView, OrderView};
use domain::people::UserId;
use lifecycle::paging::PageQuery;

use super::page;
use crate::call::Call;
use crate::{ApiResponse, Client, Error, Page};

impl Client {
    /// `POST /orders`. Without a key, the client generates one.
    pub async fn create_order(
        &self,
        order: &OrderDraft,
        key: Option<&str>,
    ) -> Result<ApiResponse<OrderView>, Error> {
        self.data(Call::post("/orders").json(order).keyed(key)).await
    }

    /// `GET /orders/{orderId}`
    pub async fn get_order(&self, order_id: OrderId) -> Result<ApiResponse<OrderView>, Error> {
        self.data(Call::get(format!("/orders/{order_id}"))).await
    }

    /// `GET /orders`
    pub async fn list_orders(
        &self,
        page_query: &PageQuery,
    ) -> Result<ApiResponse<Page<OrderView>>, Error> {
        self.body(Call::get("/orders").query(&page(page_query))).await
    }

    /// `GET /orders/user/{userId}`
    pub async fn list_user_orders(
        &self,
        user_id: UserId,
        page_query: &PageQuery,
    ) -> Result<ApiResponse<Page<OrderSummaryView>>, Error> {
        let call = Call::get(format!("/orders/user/{user_id}"));
        self.body(call.query(&page(page_query))).await
    }

    /// `DELETE /orders/{orderId}`. If the response to a successful attempt is lost, the retry
    /// returns 404.
    pub async fn delete_order(&self, order_id: OrderId) -> Result<ApiResponse<()>, Error> {
        self.nothing(Call::delete(format!("/orders/{order_id}"))).await
    }
}
