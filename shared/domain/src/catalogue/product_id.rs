//! Ids of products.

use lifecycle::newtypes::uuid_id;

uuid_id! {
    /// The id of a product.
    ProductId
}
