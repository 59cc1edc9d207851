//! Names of products.

use lifecycle::newtypes::single_line;

single_line! {
    /// The name of a product.
    ProductName: 1..=200
}
