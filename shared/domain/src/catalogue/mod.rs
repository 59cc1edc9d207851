//! The catalogue: products and their prices.

mod currency;
mod money;
mod name_claim;
mod offered_product;
mod patch;
mod pieces;
mod price;
mod product;
mod product_id;
mod product_name;
mod stock_part;
mod stocked_product;
mod supply;

pub use currency::Currency;
pub use money::{Amount, Money};
pub use name_claim::{NameClaim, TypedNameClaim};
pub use offered_product::OfferedProduct;
pub use patch::{NewName, ProductPatch};
pub use pieces::{Pieces, Stock};
pub use price::{Discount, Price, PriceAmount};
pub use product::{Description, Product, ProductDraft, ProductView};
pub use product_id::ProductId;
pub use product_name::ProductName;
pub use stock_part::StockPart;
pub use stocked_product::StockedProduct;
pub use supply::{Shortage, Supply, Taken, take_pieces};
