//! Products of the store and of a partner.

use domain::catalogue::{ProductDraft, ProductId, ProductName, ProductPatch, ProductView};
use domain::partner::{Category, Language, PageNumber, PageSize, PartnerId, PartnerProduct};
use lifecycle::paging::PageQuery;

use super::page;
use crate::call::Call;
use crate::{ApiResponse, Client, Error, Page};

/// A page of a partner's catalogue.
#[derive(Debug, Clone, Default)]
pub struct PartnerPage {
    /// The number of the page, from 1; 1 by default.
    pub page: Option<PageNumber>,
    /// The maximum number of products on a page; 20 by default.
    pub page_size: Option<PageSize>,
    /// The category of the products.
    pub category: Option<Category>,
}

impl Client {
    /// `POST /products`
    pub async fn post_product(
        &self,
        product: &ProductDraft,
        key: Option<&str>,
    ) -> Result<ApiResponse<ProductView>, Error> {
        self.data(Call::post("/products").json(product).keyed(key)).await
    }

    /// `PATCH /products/{productId}`, only if the product still has the given version.
    pub async fn patch_product(
        &self,
        product_id: ProductId,
        patch: &ProductPatch,
        if_match: Option<&str>,
    ) -> Result<ApiResponse<ProductView>, Error> {
        let call = Call::patch(format!("/products/{product_id}")).json(patch);
        self.data(call.if_match(if_match)).await
    }

    /// `GET /products/{productId}`
    pub async fn get_product(
        &self,
        product_id: ProductId,
    ) -> Result<ApiResponse<ProductView>, Error> {
        self.data(Call::get(format!("/products/{product_id}"))).await
    }

    /// `GET /products`: a page of the list, or the product with this name.
    pub async fn list_products(
        &self,
        name: Option<&ProductName>,
        page_query: &PageQuery,
    ) -> Result<ApiResponse<Page<ProductView>>, Error> {
        let [limit, order, cursor] = page(page_query);
        let name = ("name", name.map(|name| name.as_str().to_owned()));
        self.body(Call::get("/products").query(&[name, limit, order, cursor])).await
    }

    /// `GET /partner/products`
    pub async fn list_partner_products(
        &self,
        partner_id: &PartnerId,
        language: &Language,
        wanted: &PartnerPage,
    ) -> Result<ApiResponse<Vec<PartnerProduct>>, Error> {
        let call = Call::get("/partner/products").query(&[
            ("page", wanted.page.map(|page| page.get().to_string())),
            ("pageSize", wanted.page_size.map(|size| size.get().to_string())),
            ("category", wanted.category.as_ref().map(|category| category.as_str().to_owned())),
        ]);
        let call = call.header("x-partner-id", partner_id.as_str());
        self.data(call.header("accept-language", language.as_str())).await
    }
}
