//! The partner: a third party's catalogue, and the meaning of its responses.

mod answer;
mod product;
mod refused;
mod request;

pub use answer::{FailedResponse, Page, Unreadable, read_products};
pub use product::{PartnerProduct, Sku};
pub use request::{
    Category, Language, PageNumber, PageSize, PartnerHeaders, PartnerId, ProductQuery,
};
