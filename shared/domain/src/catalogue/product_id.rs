//! Ids of products.

use crate::newtypes::uuid_id;

uuid_id! {
    /// The id of a product.
    ProductId
}
