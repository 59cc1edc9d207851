//! The catalogue: products and their prices.

mod currency;
mod money;
mod name_claim;
mod patch;
mod price;
mod product;

pub use currency::Currency;
pub use money::{Amount, Money};
pub use name_claim::{NameClaim, TypedNameClaim};
pub use patch::{NewName, ProductPatch};
pub use price::{Discount, Price, PriceAmount};
pub use product::{
    Description, Pieces, Product, ProductDraft, ProductId, ProductName, ProductView, Stock,
};
