//! `GET /products/{productId}`: a product, read through a cache.

use std::sync::Arc;
use std::time::Duration;

use aws::{Cache, CachePolicy, OrNotFound, Table, batch_get};
use domain::catalogue::{Product, ProductId, ProductView, StockPart, StockedProduct};
use domain::resources::PRODUCTS;
use http::{HeaderValue, header};
use lifecycle::prelude::*;
use lifecycle::reply::Prepared;
use lifecycle::{EntityTag, Query, ServiceError};

pub(crate) fn main() -> ExitCode {
    aws::serve(|aws| GetProduct {
        products: aws.table(),
        parts: aws.table(),
        cache: Cache::new("products", CachePolicy::DEFAULT),
    })
}

struct GetProduct {
    products: Table<Product>,
    parts: Table<StockPart>,
    cache: Cache<ProductId, Shown>,
}

impl Query for GetProduct {
    // 1. Routing
    const ROUTE: Route = Route::get("/products/{productId}");

    // 2. Authentication
    type Caller = Anyone;

    // 3. Authorization, before anything is read
    const ACCESS: Access<NoRole> = Access::Public;

    const RESOURCES: Resources = &[Resource::Table(PRODUCTS, &[BatchGetItem, GetItem])];

    // 4. Deserialisation
    type Input = Path<ProductId>;

    // 5. Syntax validation
    type Command = ProductId;

    // 6. Retrieval: the cache holds products as they are shown
    type Facts = Found;

    async fn retrieve(&self, permit: &Permit<Anyone>, product_id: &ProductId) -> Retrieved<Found> {
        let load = async || {
            let product = self.load(permit, *product_id).await?;
            product.map(Shown::of).transpose()
        };
        let cached = self.cache.get(product_id, load).await?;
        Ok(Found { shown: cached.value.or_not_found()?, age: cached.age, left: cached.left })
    }

    // 3b. Authorization: the catalogue is public
    const ALLOW: Allow<Self> = Allow::Always;

    // 7. and 8. A query decides nothing and changes nothing.

    // 9. Response: other caches may keep the product as long as this function's cache does.
    // `max-age` counts from the read of the product; `Age` is the part that has passed (RFC 9111).
    // The entity tag is of the version shown, so that no client overwrites one it has not seen.
    type Reply = reply::Ok<Prepared<ProductView>>;

    fn reply(found: Found) -> reply::Ok<Prepared<ProductView>> {
        let lifetime = found.age + found.left;
        reply::Ok::of(found.shown.view.clone())
            .cached_publicly(lifetime.as_secs())
            .tagged(found.shown.tag.clone())
            .header(header::AGE, HeaderValue::from(found.age.as_secs()))
    }
}

impl GetProduct {
    /// The product with all parts of its stock.
    async fn load(
        &self,
        permit: &Permit<Anyone>,
        product_id: ProductId,
    ) -> Result<Option<ProductView>, ServiceError> {
        let key = Product::key_of(product_id);
        let lagging = self.products.get_eventually_consistent(permit, &key).await?;
        // A miss is kept, and a product that was just created must not be one.
        let product = match lagging {
            Some(product) => Some(product),
            None => self.products.get(permit, &key).await?,
        };
        let Some(product) = product else { return Ok(None) };
        if product.stock_parts.is_none() {
            return Ok(Some(product.into()));
        }
        let parts = batch_get(permit, self.parts.many(product.part_keys())).await?;
        let parts = parts.into_iter().flatten().collect();
        Ok(Some(StockedProduct { product, parts }.into()))
    }
}

/// A product as it is shown, and the tag of its version.
struct Shown {
    view: Prepared<ProductView>,
    tag: EntityTag,
}

impl Shown {
    fn of(product: ProductView) -> Result<Self, ServiceError> {
        let tag = EntityTag::of_version(product.version);
        let view = Prepared::of(product).map_err(ServiceError::internal)?;
        Ok(Self { view, tag })
    }
}

/// A product, how long ago it was read, and how long it stays fresh.
struct Found {
    shown: Arc<Shown>,
    age: Duration,
    left: Duration,
}
